// What the tests against real servers need on the machine, and how it is had. Every step looks first and is quick when all is there.
import { installCassandra } from './cassandra.ts'
import { installChromium } from './chromium.ts'
import { installPackages } from './debian.ts'
import { installDebianEtcd } from './etcd.ts'
import { installImageTools, makeBaseRoot } from './image-base.ts'
import { buildKubeBinaries } from './kube-binaries.ts'
import { findNginx, hasNginxModule } from './nginx.ts'
import { installPostgres } from './postgres.ts'
import { installSchemathesis } from './schemathesis.ts'
import { installSearch, SEARCH_RELEASES } from './search-releases.ts'

export interface Preparation {
  readonly name: string
  /** Makes sure that it is there. Throws when it cannot be had. */
  run(log: (line: string) => void): Promise<void>
  /** The one project of vitest that needs it: it runs beside the tests of the others. */
  readonly neededBy?: string
}

/** In the order in which they run; those that one project needs begin before all others. */
export const PREPARATIONS: readonly Preparation[] = [
  { name: 'kubernetes', run: buildKubeBinaries, neededBy: 'kubernetes' },
  { name: 'etcd', run: installDebianEtcd },
  { name: 'nginx', run: prepareNginx },
  { name: 'postgresql', run: installPostgres },
  { name: 'schemathesis', run: installSchemathesis },
  { name: 'chromium', run: installChromium },
  { name: 'image', run: prepareImage },
  { name: 'cassandra', run: installCassandra },
  ...SEARCH_RELEASES.map((release) => ({
    name: `${release.kind} ${release.major}`,
    run: (log: (line: string) => void) => installSearch(release, log),
  })),
]

async function prepareImage(log: (line: string) => void): Promise<void> {
  await installImageTools(log)
  await makeBaseRoot(log)
}

async function prepareNginx(log: (line: string) => void): Promise<void> {
  const missing = [
    ...(findNginx() === undefined ? ['nginx-light'] : []),
    ...(hasNginxModule('lua') ? [] : ['libnginx-mod-http-lua']),
    ...(hasNginxModule('js') ? [] : ['libnginx-mod-http-js']),
  ]
  if (missing.length > 0) await installPackages(missing, log)
  if (findNginx() === undefined || !hasNginxModule('lua') || !hasNginxModule('js')) {
    throw new Error('nginx or one of its modules is still missing after the installation')
  }
}
