// The runs of a service, as commands need them: one run to its end, all of its items.
import { CliError, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { createProgressBar } from './progress-bar.ts'
import type { Run, RunItem } from './run-text.ts'
import { findServer, openServer, type Server } from './server.ts'

/** Longest wait for an answer that is not waited for on purpose, in milliseconds. */
export const ANSWER_DEADLINE_MS = 30_000
/** Most items that a page has. */
const PAGE = 1_000

/** The service that the flag or the environment names. Throws CliError, which begins with `command`, when there is none. */
export async function needServer(flag: string | undefined, io: CliIo, command: string): Promise<Server> {
  const url = findServer(flag, io)
  if (url === undefined)
    throw new CliError(
      WRONG_USAGE,
      `${command}: there is no service to ask; allowed are --server <url> and SYNCER_SERVER in the environment`,
    )
  return openServer(url, io, command)
}

/** Options of one call: given up with `signal`, and after ANSWER_DEADLINE_MS. */
export const within = (signal?: AbortSignal): { readonly signal: AbortSignal } => {
  const deadline = AbortSignal.timeout(ANSWER_DEADLINE_MS)
  return { signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) }
}

/** All items of a run, sorted by id, page after page. */
export async function readItems(server: Server, id: string, signal: AbortSignal): Promise<readonly RunItem[]> {
  const items: RunItem[] = []
  let cursor: string | undefined
  do {
    const query = { limit: PAGE, ...(cursor !== undefined && { cursor }) }
    const page = await server.call((client) => client.listRunItems({ path: { id }, query }, within(signal)))
    items.push(...page.items)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return items
}

/** Resolves with the run when it has ended; how far it is is drawn meanwhile. */
export async function awaitRun(server: Server, id: string, io: CliIo, signal: AbortSignal): Promise<Run> {
  using bar = createProgressBar(io, 'run')
  return await server.call((client) =>
    client.waitForRun(id, {
      signal,
      onProgress: ({ done, total }) => bar.show(done, total),
    }),
  )
}
