// `syncer tokens ping`: does the service behind a token answer, on each of some clusters?
import { type Command, Option } from 'commander'
import { openClusters } from './clusters.ts'
import { CliError, DONE, FAILED, WRONG_USAGE } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption } from './options.ts'
import { clean } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { withStopSignal } from './stop.ts'
import { createTimeoutOptions, parseWhole, readClusterUrls } from './tokens-options.ts'
import { inOneLine, type ToolFlags } from './tokens-tool.ts'

const COMMAND = 'syncer tokens ping'
/** Beyond the time for which Waiter may let the request wait, in milliseconds. */
const ANSWER_MS = 5_000

interface Flags extends ToolFlags {
  readonly queueTimeout: number
}

export function addTokensPing(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('ping')
    .summary('ask the service behind a token for its health')
    .description(
      'Sends the health check of a token to each cluster. Exits with 0 when every one answers with 2xx, and with 1 when one does not.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens ping checkout http://c1:9091 http://c2:9093
  syncer tokens ping checkout http://c1:9091 --queue-timeout 60000   wait a minute for an instance of the service
`,
    )
    .argument('<token>', 'name of the token')
    .argument('<clusters...>', 'addresses of clusters, also with commas between them')
    .addOption(
      new Option('--queue-timeout <ms>', 'longest that the request may wait for an instance of the service')
        .argParser(parseWhole(1, 300_000))
        .default(12_000),
    )
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action(async (token: string, addresses: readonly string[], flags: Flags) => {
    const { isTokenName } = await import('../tokens/ping.ts')
    if (!isTokenName(token))
      throw new CliError(
        WRONG_USAGE,
        `${COMMAND}: ${clean(token)} is no name of a token; allowed is a letter, then letters, digits and any of - _ $ .`,
      )
    const urls = readClusterUrls(addresses, COMMAND)
    if (urls.length === 0)
      throw new CliError(WRONG_USAGE, `${COMMAND}: no cluster is given; allowed are addresses as http://HOST:PORT`)
    return endWithCode(flags.output, io, exit, () => ping(token, urls, flags, io))
  })
}

async function ping(token: string, urls: readonly string[], flags: Flags, io: CliIo): Promise<number> {
  const { pingToken } = await import('../tokens/ping.ts')
  const { queueTimeout: queueTimeoutMs } = flags
  const idleTimeoutMs = Math.max(flags.idleTimeoutMs, queueTimeoutMs + ANSWER_MS)
  await using stack = new AsyncDisposableStack()
  const result = await inOneLine(COMMAND, () =>
    withStopSignal(io, async (signal) => {
      const clusters = await openClusters(urls, { ...flags, idleTimeoutMs }, io, stack)
      return await pingToken({ token, clusters, queueTimeoutMs, signal })
    }),
  )
  const { exitCode, details } = result
  if (flags.output === 'json') io.out(`${JSON.stringify({ ...result, details: Object.fromEntries(details) })}\n`)
  else io.out([...details.values()].map(({ message }) => `${clean(message)}\n`).join(''))
  return exitCode === 0 ? DONE : FAILED
}
