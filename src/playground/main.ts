// `npm start`: the playground, or with `-- --config FILE` the service that this file configures.
import { parseArgs } from 'node:util'
import { Agent, request } from 'undici'
import { CliError, FAILED, WRONG_USAGE } from '../cli/exit.ts'
import type { CliIo } from '../cli/io.ts'
import { createProcessIo } from '../cli/main.ts'
import { runCli } from '../cli/program.ts'
import { watchStopSignals } from '../lib/stop-signals.ts'
import type { CheckResult } from '../synced/contract.ts'
import { type Playground, startPlayground } from './playground.ts'
import { addressesText, tryText, verdictStory } from './story.ts'
import { tellSyncs } from './sync-news.ts'

/** Longest that the first login and its check may take, in milliseconds. */
const STORY_DEADLINE_MS = 10_000

/** Runs until a signal asks it to stop; resolves with the exit code. */
async function runPlayground(io: CliIo): Promise<number> {
  const stopping = new AbortController()
  using _watch = watchStopSignals({
    source: io.process,
    clock: io.clock,
    onStop: () => stopping.abort(),
    onForce: () => io.process.exit(130),
  })
  await using playground = await startPlayground({ env: io.env, clock: io.clock })
  io.out(`The playground of Syncer is up.\n\n${addressesText(playground)}`)
  try {
    io.out(verdictStory(await makeLoginAndCheck(playground, stopping.signal), io.colours))
    io.out(tryText(playground))
    await tellSyncs({ url: playground.url, clock: io.clock, signal: stopping.signal, tell: io.out })
  } catch (error) {
    if (!stopping.signal.aborted) throw error
  }
  io.err('stopping\n')
  return 0
}

async function makeLoginAndCheck(
  { url, gateway, ca, serverName }: Playground,
  stopping: AbortSignal,
): Promise<CheckResult> {
  const [origin] = gateway.replicas
  if (origin === undefined) throw new RangeError('the playground has no replica')
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(STORY_DEADLINE_MS)])
  const dispatcher = new Agent({ connect: { ca, servername: serverName } })
  try {
    const address = `https://${origin.address}:${origin.port}/login`
    const login = await request(address, { method: 'POST', dispatcher, signal })
    const { token } = (await login.body.json()) as { readonly token: string }
    const headers = { 'x-auth-token': token, 'x-nginx-origin': origin.name }
    const check = await request(`${url}/v1/synced`, { headers, dispatcher, signal })
    const body = await check.body.json()
    if (check.statusCode !== 200) throw new Error(`the check was answered ${check.statusCode}: ${JSON.stringify(body)}`)
    return body as CheckResult
  } finally {
    await dispatcher.destroy()
  }
}

/** The file after `--config`, undefined without one. Throws CliError for any other argument. */
function readConfigPath(args: readonly string[]): string | undefined {
  try {
    return parseArgs({ args: [...args], options: { config: { type: 'string' } } }).values.config
  } catch (error) {
    const why = error instanceof Error ? error.message.split('. ', 1)[0] : String(error)
    throw new CliError(WRONG_USAGE, `npm start: ${why}; allowed is -- --config FILE`)
  }
}

async function main(io: CliIo): Promise<number> {
  try {
    const config = readConfigPath(process.argv.slice(2))
    return config === undefined ? await runPlayground(io) : await runCli(['serve', '--config', config], io)
  } catch (error) {
    io.err(`${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof CliError ? error.exitCode : FAILED
  }
}

process.exitCode = await main(createProcessIo())
