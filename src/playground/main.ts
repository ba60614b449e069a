// `npm start`: the playground, or with `-- --config FILE` the service that this file configures.
import { parseArgs } from 'node:util'
import { CliError, FAILED, WRONG_USAGE } from '../cli/exit.ts'
import type { CliIo } from '../cli/io.ts'
import { createProcessIo } from '../cli/main.ts'
import { runCli } from '../cli/program.ts'
import { watchStopSignals } from '../lib/stop-signals.ts'
import { keepLoggingIn, logInAndCheck } from './logins.ts'
import { startPlayground } from './playground.ts'
import { addressesText, tryText, verdictStory } from './story.ts'
import { tellSyncs } from './sync-news.ts'

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
    io.out(verdictStory(await logInAndCheck(playground, 0, stopping.signal), io.colours))
    io.out(tryText(playground))
    const { signal } = stopping
    await Promise.all([
      tellSyncs({ url: playground.url, clock: io.clock, signal, tell: io.out }),
      keepLoggingIn(playground, { clock: io.clock, random: Math.random, signal }),
    ])
  } catch (error) {
    if (!stopping.signal.aborted) throw error
  }
  io.err('stopping\n')
  return 0
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
