// A running service that a command asks: where it is, who asks, and what its errors mean to a command line.
import type { SyncerClient, SyncerProblem } from '../../generated/client.ts'
import { CliError, FAILED, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { isWebAddress } from './tokens-options.ts'

export interface Server {
  /** As it was given, for words. */
  readonly url: string
  /** Calls the service. Throws CliError with one line for a problem, or when it cannot be reached; the reason of a signal as it is. */
  call<T>(fn: (client: SyncerClient) => Promise<T>): Promise<T>
}

/** Statuses that mean that the question was wrong. */
const WRONG_QUESTION: readonly number[] = [400, 422]

/** The service that the flag names, else the environment; undefined when neither does. */
export const findServer = (flag: string | undefined, io: Pick<CliIo, 'env'>): string | undefined =>
  flag ?? (io.env['SYNCER_SERVER'] || undefined)

/** Throws CliError, which begins with `command`, for what is no address. Nothing is sent yet. */
export async function openServer(url: string, io: Pick<CliIo, 'env' | 'fetch'>, command: string): Promise<Server> {
  if (!isWebAddress(url))
    throw new CliError(WRONG_USAGE, `${command}: ${url} is no address of a service; allowed are http:// and https://`)
  // Loaded here: most commands ask no service.
  const { createSyncerClient, SyncerProblem } = await import('../../generated/client.ts')
  const client = createSyncerClient({ baseUrl: url, token: io.env['SYNCER_TOKEN'] || undefined, fetch: io.fetch })
  return {
    url,
    call: async (fn) => {
      try {
        return await fn(client)
      } catch (error) {
        if (error instanceof SyncerProblem) {
          const exitCode = WRONG_QUESTION.includes(error.status) ? WRONG_USAGE : FAILED
          throw new CliError(exitCode, `${command}: ${problemLine(error)}`, { cause: error })
        }
        if (error instanceof CliError) throw error
        throw new CliError(FAILED, `${command}: ${url} cannot be asked: ${reasonOf(error)}`, { cause: error })
      }
    },
  }
}

/** What the service said, with the fields that it complains of. */
function problemLine({ message, problem }: SyncerProblem): string {
  const details = (problem.errors ?? []).map((one) =>
    `${one.header ?? one.query ?? one.pointer ?? ''} ${one.detail}`.trim(),
  )
  return details.length === 0 ? message : [message.replace(/\.$/, ''), ...details].join('; ')
}

/** Why something failed, in a line; fetch hides it in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}
