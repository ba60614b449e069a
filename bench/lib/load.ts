// A closed loop of checks: so many at once, each caller on a connection of its own.
import { Client } from 'undici'

export interface Question {
  readonly token: string
  readonly origin: string
}

export interface Answer {
  readonly status: string
  /** From the request to the last byte of the answer, milliseconds. */
  readonly ms: number
  /** `performance.now()` at which it came. */
  readonly at: number
}

/** One caller: a keep-alive connection that asks one question after the other. */
export class Caller implements AsyncDisposable {
  readonly #client: Client

  constructor(url: string) {
    this.#client = new Client(url, { pipelining: 1 })
  }

  async ask({ token, origin }: Question): Promise<Answer> {
    const begun = performance.now()
    const { headers, body } = await this.#client.request({
      path: '/v1/synced',
      method: 'GET',
      headers: ['x-auth-token', token, 'x-nginx-origin', origin],
    })
    await body.dump()
    const at = performance.now()
    return { status: String(headers['x-token-status']), ms: at - begun, at }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.destroy()
  }
}

/** Asks `count` questions, `atOnce` at a time; caller number i asks with token number i. */
export async function askMany(
  callers: readonly Caller[],
  count: number,
  tokens: readonly string[],
  origin: string,
): Promise<Answer[]> {
  const answers: Answer[] = []
  let left = count
  await Promise.all(
    callers.map(async (caller, i) => {
      const token = tokens[i] ?? ''
      while (left-- > 0) answers.push(await caller.ask({ token, origin }))
    }),
  )
  return answers
}
