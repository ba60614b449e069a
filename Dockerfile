# The service as an image: `docker build -t syncer .`, for one platform or several (`--platform linux/amd64,linux/arm64`).
# A release names the base by its digest: --build-arg NODE_IMAGE=docker.io/library/node:26-bookworm-slim@sha256:…
ARG NODE_IMAGE=docker.io/library/node:26-bookworm-slim

# What runs in production, as the lock file has it, and the list of it. No scripts of packages run in any stage: the development
# dependency `node` would fetch another Node.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error --no-update-notifier
# Half of it is types and maps to sources, which nothing reads here.
RUN find node_modules -type f -regex '.*\.\([cm]?ts\|map\)' -delete
# Development dependencies would be missing to it, even those that it is told to leave out.
RUN npm pkg delete devDependencies && npm sbom --sbom-format=cyclonedx --sbom-type=application > sbom.cdx.json

# The compiled files, and the manifest that goes with them.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --loglevel=error --no-update-notifier
COPY tsconfig.json tsconfig.build.json tsconfig.declarations.json ./
COPY scripts scripts
COPY openapi openapi
COPY generated generated
COPY public public
COPY src src
RUN node scripts/build.ts && node scripts/manifest.ts pack

# Process 1 has to reap what others leave, which Node does not do.
FROM ${NODE_IMAGE} AS init
RUN command -v tini || { apt-get update && apt-get install --yes --no-install-recommends tini; }

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Syncer" \
      org.opencontainers.image.description="Keeps tokens and data in step across gateways, clusters and databases" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing is installed any more.
RUN rm -rf /usr/local/lib/node_modules /usr/local/include/node /opt/yarn-v* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg
# State and undo files, for whatever user it runs as where no volume of its own is mounted.
RUN install -d -m 1777 /var/lib/syncer && install -d /etc/syncer
COPY --from=init /usr/bin/tini /usr/bin/tini
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/sbom.cdx.json ./
COPY --from=build /app/package.json ./
COPY LICENSE ./
COPY bin bin
COPY --from=build /app/dist dist
ENV NODE_ENV=production
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.version="${VERSION}" org.opencontainers.image.revision="${REVISION}"
# Where `syncer.yaml` is found when it is there.
WORKDIR /etc/syncer
USER 65532:65532
VOLUME /var/lib/syncer
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "/app/dist/src/cli/healthcheck.js"]
ENTRYPOINT ["tini", "--", "node", "/app/bin/syncer"]
CMD ["serve"]
