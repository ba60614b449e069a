// Where bin/syncer begins: the real process behind the command line.
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import { readProcessEnvironment } from '../config/process-environment.ts'
import { systemClock } from '../lib/clock.ts'
import type { CliIo } from './io.ts'
import { runCli } from './program.ts'

/** Columns of a terminal that does not say how many it has. */
const UNKNOWN_WIDTH = 80

/** Runs the command line of this process and sets its exit code. */
export async function main(): Promise<void> {
  process.exitCode = await runCli(process.argv.slice(2), createProcessIo())
}

/** What commands may touch, of the process that this is. */
export function createProcessIo(): CliIo {
  const env = readProcessEnvironment()
  // A reader that has seen enough (`| head -1`) closes the pipe: there is nobody left to write to, and nothing wrong.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
  return {
    env,
    cwd: process.cwd(),
    clock: systemClock,
    process,
    fetch: globalThis.fetch,
    out: (data) => void process.stdout.write(data),
    err: (words) => void process.stderr.write(words),
    readInput: () => text(process.stdin),
    colours: process.stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    columns:
      process.stderr.isTTY === true && env['TERM'] !== 'dumb' ? process.stderr.columns || UNKNOWN_WIDTH : undefined,
    ask: process.stdin.isTTY === true && process.stderr.isTTY === true ? askAtTerminal : undefined,
  }
}

/** On standard error: standard output is for data, and may lead elsewhere. The end of the input is an empty answer. */
async function askAtTerminal(question: string, signal: AbortSignal): Promise<string> {
  // Not as a terminal: the line discipline of the system edits the line, and Ctrl-C stays a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  try {
    const end = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
    return await Promise.race([lines.question(question, { signal }), end])
  } finally {
    lines.close()
  }
}
