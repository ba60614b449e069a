// Writes the schema of the chart's values: its own keys, and under `config` what the service itself takes, so that helm refuses what the
// service would refuse, before anything is installed. What Kubernetes checks is left to it.

type JsonSchema = Readonly<Record<string, unknown>>

const text = (more: JsonSchema = {}): JsonSchema => ({ type: 'string', ...more })
const flag: JsonSchema = { type: 'boolean' }
/** What is passed on as it is: the API server knows it. */
const mapping: JsonSchema = { type: 'object' }
const list = (items: JsonSchema = mapping): JsonSchema => ({ type: 'array', items })
const texts: JsonSchema = { type: 'object', additionalProperties: text() }
const count = (minimum: number, maximum?: number): JsonSchema => ({
  type: 'integer',
  minimum,
  ...(maximum !== undefined && { maximum }),
})
const port = count(1, 65_535)
const strict = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
})
/** A name of Kubernetes, or nothing. */
const name = text({ pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$', maxLength: 253 })
const labels: JsonSchema = { type: 'object', additionalProperties: text({ maxLength: 63 }) }
const duration = text({ pattern: '^[0-9]+(ms|s|m|h)([0-9]+(ms|s|m|h))*$' })
const quantity: JsonSchema = {
  anyOf: [text({ pattern: '^[0-9]+(\\.[0-9]+)?([a-zA-Z]{1,2}|[eE][0-9]+)?$' }), count(0)],
}

/** JSON of `helm/values.schema.json`; `config` is the schema of the service's configuration. */
export function renderChartSchema(config: JsonSchema): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Values of the chart of Syncer',
    ...strict({ ...ownValues(), config: withoutIdentity(config) }),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** It stands inside another document now. */
function withoutIdentity({ $schema: _, $id: __, ...config }: JsonSchema): JsonSchema {
  return config
}

function ownValues(): Readonly<Record<string, JsonSchema>> {
  return {
    // Helm hands this to every chart that is a part of another one.
    global: mapping,
    nameOverride: name,
    fullnameOverride: name,
    replicas: count(1, 100),
    image: strict({
      repository: text({ minLength: 1, pattern: '^[^\\s@]+$' }),
      tag: text({ pattern: '^[A-Za-z0-9_.-]*$', maxLength: 128 }),
      digest: text({ pattern: '^(sha256:[0-9a-f]{64})?$' }),
      pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
    }),
    imagePullSecrets: list(),
    files: { ...texts, propertyNames: { pattern: '^[-._a-zA-Z0-9]+$', not: { enum: ['syncer.yaml', 'state-url'] } } },
    secrets: strict({ files: name, env: name }),
    state: strict({
      postgres: strict({ existingSecret: name, key: text({ pattern: '^[-._a-zA-Z0-9]+$' }) }),
      persistence: strict({
        enabled: flag,
        existingClaim: name,
        size: quantity,
        storageClassName: name,
        accessModes: list({ enum: ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'] }),
        annotations: texts,
      }),
      emptyDirSizeLimit: quantity,
    }),
    tmpSizeLimit: quantity,
    serviceAccount: strict({ create: flag, name, annotations: texts }),
    rbac: strict({ create: flag }),
    service: strict({
      type: { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
      port,
      annotations: texts,
      labels,
    }),
    env: { ...texts, propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$', not: { enum: ['HOST', 'PORT'] } } },
    extraEnv: list(),
    extraVolumes: list(),
    extraVolumeMounts: list(),
    commonLabels: labels,
    podLabels: labels,
    podAnnotations: texts,
    deploymentAnnotations: texts,
    resources: mapping,
    podSecurityContext: mapping,
    securityContext: mapping,
    strategy: mapping,
    terminationGracePeriodSeconds: { anyOf: [count(0), { type: 'null' }] },
    revisionHistoryLimit: count(0),
    topologySpreadConstraints: list(),
    nodeSelector: texts,
    tolerations: list(),
    affinity: mapping,
    priorityClassName: name,
    podDisruptionBudget: strict({
      enabled: flag,
      maxUnavailable: { anyOf: [count(0), text({ pattern: '^[0-9]{1,3}%$' })] },
    }),
    networkPolicy: strict({
      enabled: flag,
      ingress: strict({ from: list() }),
      egress: strict({ enabled: flag, kubernetesPorts: list(port), postgresPort: port, extra: list() }),
    }),
    metrics: strict({
      serviceMonitor: strict({
        enabled: flag,
        interval: duration,
        scrapeTimeout: duration,
        labels,
        bearerTokenSecret: strict({ name, key: text() }),
        tlsConfig: mapping,
      }),
      prometheusRule: strict({ enabled: flag, labels, alertLabels: texts }),
    }),
  }
}
