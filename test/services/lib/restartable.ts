// A server of a test that is stopped, killed, frozen and started again: on the same folder, so with its data, and on the same ports.
import { createRunFolder } from './run-folder.ts'
import type { ServerProcess } from './server-process.ts'

export interface RestartableServer extends AsyncDisposable {
  /** The first process of its group now; 0 while it is stopped. */
  readonly pid: number
  /** Asks it to end, and kills it after 30 seconds; the data stay. */
  stop(): Promise<void>
  /** Ends it at once and in the middle of everything; the data stay as they are. */
  kill(): Promise<void>
  /** Starts it again, after a stop when it runs, and resolves when it is ready. Throws with its log when it is not. */
  restart(): Promise<void>
  /** It keeps its connections and says nothing more. */
  freeze(): void
  thaw(): void
}

/** What is thrown away needs no care; Elasticsearch takes this time to remove what it has in /tmp. */
const DISPOSE_MS = 1_000
/** A Java server ends what it has begun first: seconds, on a busy machine many. */
const STOP_MS = 30_000

export interface RestartableOptions {
  /** Writes what it needs into its empty folder, before the first start. */
  readonly prepare: (folder: string) => Promise<void>
  readonly launch: (folder: string) => Promise<ServerProcess>
}

/** Starts it on a new folder and resolves when it is ready. Disposing ends it and removes the folder. Throws what the two throw. */
export async function startRestartable(
  name: string,
  { prepare, launch }: RestartableOptions,
): Promise<RestartableServer> {
  const folder = createRunFolder(name)
  let server: ServerProcess | undefined
  const end = async (graceMs: number) => {
    await server?.stop(graceMs)
    server = undefined
  }
  const stop = () => end(STOP_MS)
  const kill = async () => {
    server?.signal('SIGKILL')
    await stop()
  }
  const restart = async () => {
    await stop()
    server = await launch(folder.path)
  }
  try {
    await prepare(folder.path)
    await restart()
  } catch (error) {
    folder.remove()
    throw error
  }
  return {
    get pid() {
      return server?.pid ?? 0
    },
    stop,
    kill,
    restart,
    freeze: () => server?.signal('SIGSTOP'),
    thaw: () => server?.signal('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await end(DISPOSE_MS)
      folder.remove()
    },
  }
}
