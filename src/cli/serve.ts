// `syncer serve`: the service, from its start to the signal that ends it.
import type { Command } from 'commander'
import { type Clock, delay } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { type StopSignal, watchStopSignals } from '../lib/stop-signals.ts'
import { DONE, FAILED, INTERRUPTED } from './exit.ts'
import type { CliIo } from './io.ts'
import { createConfigOption, loadWholeConfig } from './options.ts'
import type { ExitCode } from './program.ts'

export function addServe(program: Command, io: CliIo, exit: ExitCode): void {
  program
    .command('serve')
    .summary('serve what the configuration asks for')
    .description(
      'Serves what the configuration asks for until SIGTERM or SIGINT, which it obeys cleanly; a second SIGINT ends it at once.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer serve                         as ./syncer.yaml says
  syncer serve --config syncer.yaml    as this file says
  PORT=9090 syncer serve               HOST, PORT and LOG_LEVEL win over the file
`,
    )
    .addOption(createConfigOption())
    .action(async (flags: { readonly config?: string }) => {
      exit.code = await serve(flags.config, io)
    })
}

/** Serves until a signal; resolves with the exit code. Throws ConfigError, or what kept the service from starting. */
async function serve(path: string | undefined, io: CliIo): Promise<number> {
  const loaded = await loadWholeConfig(io, path)
  // Loaded here: the other commands need no server, and start sooner without one.
  const [{ createLogger }, { startService }] = await Promise.all([import('../lib/logger.ts'), import('../main.ts')])
  const logger = createLogger(loaded.config.log.level)
  const asked = Promise.withResolvers<StopSignal>()
  const watch = watchStopSignals({
    source: io.process,
    clock: io.clock,
    onStop: asked.resolve,
    onForce: () => io.process.exit(INTERRUPTED),
  })
  const dieOfFatal = (error: Error, origin: string): void => {
    logger.fatal({ err: error, origin }, 'a fault that nobody caught: the process ends')
    logger.flush(() => io.process.exit(FAILED))
  }
  io.process.on('uncaughtException', dieOfFatal)
  try {
    const starting = startService(loaded, { env: io.env, clock: io.clock, logger })
    const patience = outlastPatience(asked.promise, loaded.config.shutdown.graceMs, io.clock)
    const service = await Promise.race([starting, patience])
    if (service === undefined) {
      io.err(`syncer serve: stopped by ${await asked.promise} before it had started\n`)
      io.process.exit(FAILED)
      return FAILED
    }
    logger.info({ signal: await asked.promise }, 'stopping')
    const code = await stop(service.stop, logger)
    // What would not end in time must not keep the process alive; pino writes what it still holds when the process exits.
    io.process.exit(code)
    return code
  } finally {
    io.process.off('uncaughtException', dieOfFatal)
    watch[Symbol.dispose]()
  }
}

/** Resolves when a start that hangs, at a file system or a server, has been waited for long enough after it was asked to end. */
async function outlastPatience(asked: Promise<StopSignal>, graceMs: number, clock: Clock): Promise<undefined> {
  await asked
  await delay(clock, graceMs)
}

async function stop(stopService: () => Promise<void>, logger: Logger): Promise<number> {
  try {
    await stopService()
    return DONE
  } catch (error) {
    logger.error({ err: error }, 'not all ended in time')
    return FAILED
  }
}
