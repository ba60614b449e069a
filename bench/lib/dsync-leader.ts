// A process that leads several elections, to be killed: its settings come as JSON in its argument; it says `leading` when it has all.
import { createKubernetesDriver, Dsync, type DsyncOptions } from '../../src/dsync/index.ts'

export interface LeaderSettings {
  readonly server: string
  readonly ca: string
  readonly token: string
  readonly namespace: string
  readonly names: readonly string[]
  readonly options: DsyncOptions
  /** From one election to the next, so that their renewals are spread. */
  readonly apartMs: number
}

const { server, ca, token, namespace, names, options, apartMs }: LeaderSettings = JSON.parse(process.argv[2] ?? '{}')
const driver = await createKubernetesDriver({ server, ca, token: () => token, namespace })
const dsync = new Dsync(driver, 'leader', options)
for (const name of names) {
  await new Promise<void>((resolve) => dsync.election(name).whenElected(() => resolve()))
  await new Promise((resolve) => setTimeout(resolve, apartMs))
}
process.stdout.write('leading\n')
