// `syncer db worker`: one shard of a sync in a Pod of an Indexed Job. Its order is in SYNCER_DB_ORDER, its index in
// JOB_COMPLETION_INDEX, and what it has done is its termination message (the file that TERMINATION_LOG names), written last.
import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { ConfigError } from '../config/error.ts'
import type { Env } from '../config/load.ts'
import type { WorkOrder } from '../db/jobs/order.ts'
import { CliError, FAILED, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { createConfigOption, loadWholeConfig } from './options.ts'
import type { ExitCode } from './program.ts'
import { Stopped, withStopSignal } from './stop.ts'

/** Of a process that SIGTERM ended: to Kubernetes the worker was stopped, and has not failed by itself. */
const TERMINATED = 143

export function addDbWorker(db: Command, io: CliIo, exit: ExitCode): void {
  db.command('worker')
    .description('Does one shard of a sync in a Pod of an Indexed Job; started by the service.')
    .argument('<pair>', 'name of the pair in the configuration')
    .addOption(createConfigOption())
    .action(async (pair: string, { config }: { readonly config?: string }) => {
      exit.code = await work(pair, config, io)
    })
}

async function work(pair: string, config: string | undefined, io: CliIo): Promise<number> {
  const { encodeFailure } = await import('../db/jobs/report.ts')
  try {
    await tellKubernetes(await withStopSignal(io, (signal) => workOff(pair, config, io, signal)), io.env)
    return 0
  } catch (error) {
    const code = await exitCodeOf(error)
    const message = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, '; ')
    io.err(`syncer db worker: ${message}\n`)
    await tellKubernetes(encodeFailure(message), io.env)
    return code
  }
}

async function workOff(name: string, path: string | undefined, io: CliIo, signal: AbortSignal): Promise<string> {
  const loaded = await loadWholeConfig(io, path)
  const { config, source } = loaded
  const found = config.db?.pairs.find((one) => one.name === name)
  if (found === undefined) throw new ConfigError(source, [`db.pairs: there is no pair ${name}`])
  const [{ preparePair }, { pairSurroundings }, { workOff: carry }] = await Promise.all([
    import('../wiring/db.ts'),
    import('../wiring/db-here.ts'),
    import('../db/jobs/work.ts'),
  ])
  const { env, clock } = io
  const order = await readOrder(env, name)
  const prepared = preparePair(
    found,
    pairSurroundings(loaded, io, (message) => io.err(`syncer db worker: ${message}\n`)),
  )
  await using pair = await prepared.open(signal)
  return await carry(pair, order, readIndex(env), { clock, signal, onProgress: () => {} })
}

async function readOrder(env: Env, pair: string): Promise<WorkOrder> {
  const [{ decodeOrder, InvalidWorkOrder }, { ORDER_VARIABLE }] = await Promise.all([
    import('../db/jobs/order.ts'),
    import('../db/jobs/manifest.ts'),
  ])
  const text = env[ORDER_VARIABLE]
  if (text === undefined)
    throw new InvalidWorkOrder(`${ORDER_VARIABLE} is not set: the service starts workers by itself`)
  const order = decodeOrder(text)
  if (order.pair !== pair) throw new InvalidWorkOrder(`the order is for the pair ${order.pair}, not ${pair}`)
  return order
}

function readIndex(env: Env): number {
  const text = env['JOB_COMPLETION_INDEX'] ?? ''
  if (!/^\d{1,9}$/.test(text))
    throw new CliError(WRONG_USAGE, 'JOB_COMPLETION_INDEX has to be the index of the shard: Indexed Jobs set it')
  return Number(text)
}

/** 1 is tried again; 2 fails the shard for good. */
async function exitCodeOf(error: unknown): Promise<number> {
  if (error instanceof Stopped) return TERMINATED
  if (error instanceof CliError) return error.exitCode
  if (error instanceof ConfigError) return WRONG_USAGE
  const { isHopeless } = await import('../db/jobs/work.ts')
  return isHopeless(error) ? WRONG_USAGE : FAILED
}

/** In place: it is a mount, and cannot be replaced. Elsewhere than in a Pod there is none, and nobody who reads it. */
async function tellKubernetes(message: string, env: Env): Promise<void> {
  const path = env['TERMINATION_LOG'] ?? '/dev/termination-log'
  try {
    await using file = await open(path, 'r+')
    await file.truncate(0)
    await file.write(message, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
