// A SQLite file in a thread of its own, as its callers see it: every method of SqliteState becomes a promise.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Method, type Reply, type Request, rebuildError } from './sqlite-messages.ts'
import type { SqliteState } from './sqlite-state.ts'
import { StateUnavailable } from './store.ts'

/** Ends as this file does: in a package both are compiled. */
const WORKER = new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url)

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export class SqliteThread implements AsyncDisposable {
  readonly #path: string
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #gone: Promise<void>
  #requests = 0
  #isClosed = false

  private constructor(path: string) {
    this.#path = path
    // It needs no secret: none is handed on.
    this.#worker = new Worker(WORKER, {
      workerData: path,
      env: {},
      execArgv: [],
    })
    this.#worker.on('message', (reply: Reply) => this.#settle(reply))
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)))
    this.#gone = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#fail('its thread has ended')
        resolve()
      })
    })
  }

  /** Starts the thread and opens the file in it. Throws StateUnusable. */
  static async open(path: string): Promise<SqliteThread> {
    const thread = new SqliteThread(path)
    try {
      await thread.#ask('open', [])
    } catch (error) {
      await thread.#worker.terminate()
      throw error
    }
    return thread
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Throws what the method throws, and StateUnavailable when the thread is gone. */
  call<M extends Method>(method: M, ...args: Parameters<SqliteState[M]>): Promise<ReturnType<SqliteState[M]>> {
    return this.#ask(method, args) as Promise<ReturnType<SqliteState[M]>>
  }

  /** What was asked for before is carried out first. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isClosed) {
      const closing = this.#ask('close', [])
      this.#isClosed = true
      await closing
    }
    this.#worker.ref()
    await this.#gone
  }

  #ask(method: Request['method'], args: readonly unknown[]): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new StateUnavailable(`state file ${this.#path}: is closed`))
    const request: Request = { id: ++this.#requests, method, args }
    return new Promise((resolve, reject) => {
      this.#pending.set(request.id, { resolve, reject })
      // A process that has nothing else to do waits for answers, and not for a thread that is idle.
      this.#worker.ref()
      this.#worker.postMessage(request)
    })
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('error' in reply) pending?.reject(rebuildError(reply.error))
    else pending?.resolve(reply.value)
  }

  #fail(why: string): void {
    this.#isClosed = true
    const error = new StateUnavailable(`state file ${this.#path}: ${why}`)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}
