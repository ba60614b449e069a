// `syncer synced`: has a token reached every gateway replica? Asked of a running server, or found out by this process itself.
import { type Command, Option } from 'commander'
import { ConfigError } from '../config/error.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { CheckRequest, CheckResult, Expectation } from '../synced/contract.ts'
import { CliError, DONE, FAILED, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { createConfigOption, createOutputOption, loadWholeConfig, type Output } from './options.ts'
import type { ExitCode } from './program.ts'
import { findServer, openServer } from './server.ts'
import { verdictText } from './verdict-text.ts'

interface Flags {
  readonly origin: string
  readonly expect: Expectation
  readonly replica?: readonly string[]
  readonly server?: string
  readonly config?: string
  readonly output: Output
}

/** Longest wait for a server, in milliseconds: its deadline is a minute at most, its answer not far behind. */
const SERVER_DEADLINE_MS = 65_000

/** Longest wait for the first list of replicas, in milliseconds. */
const FIRST_LIST_MS = 5_000

/** Errors that mean that the question was wrong. */
const WRONG_QUESTIONS: readonly string[] = ['InvalidToken', 'UnknownOrigin', 'UnknownReplica']

export function addSynced(program: Command, io: CliIo, exit: ExitCode): void {
  program
    .command('synced')
    .summary('ask whether a token has reached every gateway replica')
    .description(
      'Asks whether a token has reached every gateway replica but the one that stored it. Exits with 0 for Synced and 1 for any other verdict.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer synced TOKEN --origin gw-0                      checked by this process, as ./syncer.yaml says
  syncer synced TOKEN --origin gw-0 --server https://…   asked of a running service
  get-token | syncer synced - --origin gw-0              the token stays out of the shell's history
  syncer synced TOKEN --origin gw-0 --expect absent      after a logout: has everybody forgotten it?
`,
    )
    .argument('<token>', 'the token; - reads it from standard input')
    .requiredOption('--origin <name>', 'name (nginx $hostname) or address of the replica that stored it')
    .addOption(
      new Option('--expect <state>', 'what every replica should say').choices(['present', 'absent']).default('present'),
    )
    .option('--replica <name...>', 'limit the check to these replicas')
    .addOption(
      new Option(
        '--server <url>',
        'running service to ask (else SYNCER_SERVER; bearer token from SYNCER_TOKEN)',
      ).conflicts('config'),
    )
    .addOption(createConfigOption())
    .addOption(createOutputOption())
    .action(async (argument: string, flags: Flags) => {
      const token = argument === '-' ? (await io.readInput()).replace(/\r?\n$/, '') : argument
      const { origin, expect, replica: only } = flags
      const request: CheckRequest = { token, origin, expect, ...(only !== undefined && { only }) }
      const server = flags.config === undefined ? findServer(flags.server, io) : undefined
      const result =
        server === undefined ? await checkHere(request, flags.config, io) : await askServer(request, server, io)
      io.out(flags.output === 'json' ? `${JSON.stringify(result, undefined, 2)}\n` : verdictText(result, io.colours))
      exit.code = result.status === 'Synced' ? DONE : FAILED
    })
}

async function askServer(request: CheckRequest, url: string, io: CliIo): Promise<CheckResult> {
  const server = await openServer(url, io, 'syncer synced')
  const { token, origin, expect, only } = request
  return server.call((client) =>
    client.getSynced(
      {
        header: { 'X-Auth-Token': token, 'X-Nginx-Origin': origin },
        query: { expect, ...(only !== undefined && { replica: [...only] }) },
      },
      { signal: AbortSignal.timeout(SERVER_DEADLINE_MS) },
    ),
  )
}

async function checkHere(request: CheckRequest, path: string | undefined, io: CliIo): Promise<CheckResult> {
  const { config, source } = await loadWholeConfig(io, path)
  if (config.gateway === undefined) {
    throw new CliError(
      WRONG_USAGE,
      `syncer synced: ${source}: there is no section "gateway"; add one, or name a running service with --server`,
    )
  }
  // Loaded here: a check that a server makes needs nothing of it.
  const [{ openGateway }, { openKube }, { Registry }] = await Promise.all([
    import('../wiring/gateway.ts'),
    import('../wiring/kube.ts'),
    import('prom-client'),
  ])
  const { clock, env } = io
  let client: KubeClient | undefined
  const kube = async (): Promise<KubeClient> => {
    client = await openKube(config.kubernetes, { source, env, clock })
    return client
  }
  try {
    const surroundings = { kube, registry: new Registry(), clock, firstListMs: FIRST_LIST_MS }
    const gateway = await openGateway(config.gateway, surroundings)
    try {
      return await gateway.check(request)
    } finally {
      await gateway[Symbol.asyncDispose]()
    }
  } catch (error) {
    if (!(error instanceof Error) || error instanceof ConfigError) throw error
    const exitCode = WRONG_QUESTIONS.includes(error.name) ? WRONG_USAGE : FAILED
    throw new CliError(exitCode, `syncer synced: ${error.message}`, { cause: error })
  } finally {
    await client?.[Symbol.asyncDispose]()
  }
}
