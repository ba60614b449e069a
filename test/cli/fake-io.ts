// The surroundings of a command in a test: what it writes is kept, nothing of the real process is touched.
import { EventEmitter } from 'node:events'
import type { CliIo } from '../../src/cli/io.ts'
import type { Env } from '../../src/config/load.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'

export interface FakeIo extends CliIo {
  readonly written: { out: string; err: string }
  /** Raises what the process would hear. */
  readonly emitter: EventEmitter
  /** Codes that `process.exit` was called with. */
  readonly exits: readonly number[]
}

export interface FakeIoOptions {
  readonly env?: Env
  readonly cwd?: string
  readonly input?: string
  readonly colours?: boolean
  /** Width of a terminal behind standard error; there is none when it is left out. */
  readonly columns?: number
  /** What the person at the terminal answers; there is nobody when it is left out. */
  readonly answer?: string
  readonly fetch?: (request: Request) => Promise<Response>
  /** That of this machine when it is left out. */
  readonly clock?: Clock
}

export function createFakeIo(options: FakeIoOptions = {}): FakeIo {
  const {
    env = {},
    cwd = '/nowhere',
    input,
    colours = false,
    columns,
    answer: said,
    fetch: answer,
    clock = systemClock,
  } = options
  const written = { out: '', err: '' }
  const emitter = new EventEmitter()
  const exits: number[] = []
  const host = Object.assign(emitter, { exit: (code: number) => void exits.push(code) })
  return {
    written,
    emitter,
    exits,
    env,
    cwd,
    colours,
    columns,
    ask:
      said === undefined
        ? undefined
        : async (question) => {
            written.err += question
            return said
          },
    clock,
    process: host,
    out: (text) => {
      written.out += text
    },
    err: (text) => {
      written.err += text
    },
    readInput: async () => {
      if (input === undefined) throw new Error('unexpected: standard input was read')
      return input
    },
    fetch: async (request) => {
      if (answer === undefined || !(request instanceof Request)) throw new Error('unexpected: a request was made')
      return answer(request)
    },
  }
}
