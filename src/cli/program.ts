// The command line: its commands, and what a wrong use of it is answered with.
import { Command } from 'commander'
import packageJson from 'syncer/package.json' with { type: 'json' }
import { addConfigCheck } from './config-check.ts'
import { addDb } from './db.ts'
import { CliError, DONE, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { reportError } from './report.ts'
import { addRuns } from './runs.ts'
import { addServe } from './serve.ts'
import { addSynced } from './synced.ts'
import { addTokens } from './tokens.ts'

/** Commands leave the exit code here when it is not 0. */
export interface ExitCode {
  code: number
}

/** Runs one command line (without `node` and the script); resolves with the exit code and never rejects. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const exit: ExitCode = { code: DONE }
  const program = createProgram(io, exit)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exit.code
  } catch (error) {
    return reportError(error, io)
  }
}

/** The whole command line; a test compares it with what the documents promise. */
export function createProgram(io: CliIo, exit: ExitCode): Command {
  const program = new Command('syncer')
    .description('Keeps tokens and data in step across gateways, clusters and databases.')
    .version(packageJson.version)
    .helpCommand(false)
    .addHelpText('beforeAll', ({ command }) =>
      command.name() === 'syncer'
        ? `Examples:
  syncer serve --config syncer.yaml                serve what this file configures
  syncer synced TOKEN --origin gw-0                has the token reached every replica?
  syncer tokens sync --dry-run URL URL             how do the tokens of these Waiter clusters differ?
  syncer db sync PAIR                              bring two databases of the configuration in step
  syncer runs list --server URL                    what has that service been doing?
  syncer config check                              what is in force, and is it all right?
`
        : '',
    )
  addServe(program, io, exit)
  addSynced(program, io, exit)
  addTokens(program, io, exit)
  addDb(program, io, exit)
  addRuns(program, io, exit)
  const config = program.command('config').description('Looks at the configuration.').helpCommand(false)
  addConfigCheck(config, io)
  for (const command of withSubcommands(program)) refuseInOneLine(command, io)
  return program
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** Wrong usage throws a CliError whose one line says what is allowed. */
function refuseInOneLine(command: Command, io: CliIo): void {
  command.configureOutput({ writeOut: io.out, writeErr: () => {}, outputError: () => {} }).exitOverride((error) => {
    // Exit code 0: help or version was asked for. Help that was not asked for stands for a command that is missing.
    if (error.exitCode === 0) throw error
    const path = pathOf(command)
    if (error.code === 'commander.help')
      throw new CliError(WRONG_USAGE, `${path}: a command is missing; allowed are ${allowed(command)}`)
    const what = error.message.replace(/^error: /, '').replace(/\s+/g, ' ')
    const says = /allowed/i.test(what) ? what : `${what.replace(/\.$/, '')}; allowed are ${allowed(command)}`
    throw new CliError(WRONG_USAGE, `${path}: ${says}`)
  })
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function allowed(command: Command): string {
  const commands = command.commands.map((one) => one.name())
  const values = command.registeredArguments.map((one) => one.name().toUpperCase())
  const options = command.options.map((one) => one.flags.replace(/^-\w, /, ''))
  return [...commands, ...values, ...options, '--help'].join(', ')
}
