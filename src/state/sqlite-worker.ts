// The thread that has the SQLite file: it does what it is asked, one thing after the other.
import { parentPort, workerData } from 'node:worker_threads'
import type { Reply, Request } from './sqlite-messages.ts'
import { SqliteState } from './sqlite-state.ts'

let state: SqliteState | undefined

function carryOut({ method, args }: Request): unknown {
  if (method === 'open') {
    state = new SqliteState(String(workerData))
    return undefined
  }
  if (state === undefined) throw new Error('the file is not open')
  if (method === 'close') return state.close()
  return (state[method] as (...args: readonly unknown[]) => unknown).apply(state, [...args])
}

parentPort?.on('message', (request: Request) => {
  let reply: Reply
  try {
    reply = { id: request.id, value: carryOut(request) }
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    reply = { id: request.id, error: { name, message } }
  }
  parentPort?.postMessage(reply)
  if (request.method === 'close') parentPort?.close()
})
