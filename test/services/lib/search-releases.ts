// The releases of Elasticsearch and OpenSearch that tests run against, and how each is had: distributions from Maven Central
// with the modules of the core alone. Every one is pinned: ranges do not work there, its lists of versions are incomplete.
import { existsSync, readdirSync, renameSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeCachedFolder } from './cached-folder.ts'
import { findJava, installJava, type JavaRange } from './java.ts'
import { installMaven, unpackArtifact } from './maven.ts'
import { cacheFolder } from './run-folder.ts'
import { ensureSystemUser } from './system-user.ts'

export type SearchRelease =
  | { readonly kind: 'elasticsearch'; readonly major: 8 | 9 }
  | { readonly kind: 'opensearch'; readonly major: 2 | 3 }

interface Pinned {
  readonly version: string
  readonly java: JavaRange
}

export interface InstalledSearch {
  /** Folder of the distribution, which many servers share. */
  readonly distribution: string
  readonly version: string
  /** Folder of the Java that it runs on. */
  readonly java: string
}

const ELASTICSEARCH: Readonly<Record<8 | 9, Pinned>> = {
  8: { version: '8.19.21', java: { from: 17 } },
  9: { version: '9.5.3', java: { from: 21 } },
}
const OPENSEARCH: Readonly<Record<2 | 3, Pinned>> = {
  // Java 24 took away the security manager that it wants.
  2: { version: '2.19.6', java: { from: 17, to: 23 } },
  3: { version: '3.6.0', java: { from: 21 } },
}
const GROUPS = {
  elasticsearch: 'org.elasticsearch.distribution.integ-test-zip',
  opensearch: 'org.opensearch.distribution.integ-test-zip',
} as const

/** All of them. */
export const SEARCH_RELEASES: readonly SearchRelease[] = [
  { kind: 'elasticsearch', major: 8 },
  { kind: 'elasticsearch', major: 9 },
  { kind: 'opensearch', major: 2 },
  { kind: 'opensearch', major: 3 },
]

/** Throws when it was not installed. */
export function findSearch(release: SearchRelease): InstalledSearch {
  const { version, java } = pinnedOf(release)
  const distribution = folderOf(release)
  if (!existsSync(distribution))
    throw new Error(`${release.kind} ${version} is missing: \`npm run test:services\` installs it`)
  return { distribution, version, java: findJava(java) }
}

/** Downloads it unless it is there. Throws when it cannot be had. */
export async function installSearch(release: SearchRelease, log: (line: string) => void): Promise<void> {
  const { version, java } = pinnedOf(release)
  await ensureSystemUser()
  await installJava(java, log)
  await makeCachedFolder(folderOf(release), async (unfinished) => {
    await installMaven(log)
    log(`downloading ${release.kind} ${version}`)
    await unpackArtifact(`${GROUPS[release.kind]}:${release.kind}:${version}:zip`, unfinished)
    liftOnlyFolder(unfinished)
  })
}

/** Moves what is in the one folder of an archive to where the archive was unpacked. */
function liftOnlyFolder(unpacked: string): void {
  const [only, ...others] = readdirSync(unpacked)
  if (only === undefined || others.length > 0) throw new Error(`${unpacked} should hold one folder`)
  for (const name of readdirSync(join(unpacked, only))) renameSync(join(unpacked, only, name), join(unpacked, name))
  rmdirSync(join(unpacked, only))
}

function pinnedOf(release: SearchRelease): Pinned {
  return release.kind === 'elasticsearch' ? ELASTICSEARCH[release.major] : OPENSEARCH[release.major]
}

function folderOf(release: SearchRelease): string {
  return join(cacheFolder(), `${release.kind}-${pinnedOf(release).version}`)
}
