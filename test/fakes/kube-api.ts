// A Kubernetes API server of our own, over HTTPS on loopback: collections with list, pages, watch, watch-list and bookmarks,
// and all the ways in which a real one was seen to fail. It tells what was asked of it; what it does not know it counts as unexpected.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { KubeObject } from '../../src/lib/kube/object.ts'
import { makeCa, type TestCa } from '../lib/certificates.ts'

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly isWatch: boolean
  readonly authorization: string | undefined
  readonly body: string
}

/** How a request is met in place of an answer. */
export type Fault =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  /** The connection is cut before an answer. */
  | 'reset'
  /** No answer, ever. */
  | 'silent'
  /** A watch that is accepted and closed in good order with nothing told. */
  | 'close-at-once'
  /** An answer that is not HTTP. */
  | 'not-http'

/** What the server makes of `sendInitialEvents`. */
export type WatchListSupport = 'yes' | 422 | 400 | 'error-event' | 'never-ends'

interface Change {
  readonly path: string
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: KubeObject
  readonly revision: number
}

interface OpenWatch {
  readonly path: string
  readonly query: URLSearchParams
  readonly response: ServerResponse
}

export class FakeKubeApi implements AsyncDisposable {
  readonly ca: TestCa
  readonly seen: SeenRequest[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #objects = new Map<string, Map<string, KubeObject>>()
  readonly #changes: Change[] = []
  readonly #watches = new Set<OpenWatch>()
  #revision = 100
  #compacted = 0
  /** The only bearer token that is accepted. */
  token = 'token-1'
  watchList: WatchListSupport = 'yes'
  /** Objects a page; a client asks for more. */
  pageSize = 500
  /** Each line is sent in pieces of this many bytes. */
  chunkBytes: number | undefined
  /** Open watches are told nothing any more, and are not closed either. */
  muted = false
  /** Decides, request by request. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined
  /** Runs when a list has been read, before it is answered. */
  beforeListAnswer: (request: SeenRequest) => void | Promise<void> = () => undefined
  /** Answers to paths that are no collection. */
  answer: (request: SeenRequest) => { readonly status: number; readonly body: string } | undefined = () => undefined
  readonly unexpected: string[] = []
  connections = 0

  private constructor(ca: TestCa, server: Server) {
    this.ca = ca
    this.#server = server
    // As a real one: idle connections stay.
    server.keepAliveTimeout = 180_000
    server.on('request', (request, response) => void this.#serve(request, response))
    server.on('connection', (socket) => {
      this.connections++
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
    })
  }

  static async start(): Promise<FakeKubeApi> {
    const ca = await makeCa('Kube CA')
    const api = new FakeKubeApi(ca, createServer(await ca.issue({ ips: ['127.0.0.1'], names: ['localhost'] })))
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  get origin(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get openWatches(): number {
    return this.#watches.size
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  get revision(): string {
    return String(this.#revision)
  }

  lists(path: string): readonly SeenRequest[] {
    return this.seen.filter((one) => one.path === path && !one.isWatch)
  }

  watches(path: string): readonly SeenRequest[] {
    return this.seen.filter((one) => one.path === path && one.isWatch)
  }

  /** An empty collection: what was not defined is not known. */
  define(path: string): void {
    this.#collection(path)
  }

  /** Creates or changes an object of a collection, and tells those who watch. */
  put(path: string, object: KubeObject): KubeObject {
    const collection = this.#collection(path)
    const known = collection.get(object.metadata.name)
    const revision = ++this.#revision
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    collection.set(object.metadata.name, stored)
    this.#change({ path, type: known === undefined ? 'ADDED' : 'MODIFIED', object: stored, revision })
    return stored
  }

  remove(path: string, name: string): void {
    const known = this.#collection(path).get(name)
    if (known === undefined) throw new Error(`there is no ${name} in ${path}`)
    this.#collection(path).delete(name)
    const revision = ++this.#revision
    this.#change({
      path,
      type: 'DELETED',
      object: { ...known, metadata: { ...known.metadata, resourceVersion: String(revision) } },
      revision,
    })
  }

  all(path: string): readonly KubeObject[] {
    return [...this.#collection(path).values()]
  }

  /** Forgets the history: to go on from an older revision is 410. */
  compact(): void {
    this.#compacted = this.#revision
  }

  /** As after an etcd that was restored: the same objects, older versions of them, a smaller revision. */
  restore(revision: number): void {
    this.#revision = revision
    this.#changes.length = 0
    for (const collection of this.#objects.values()) {
      for (const [name, object] of collection)
        collection.set(name, { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
    }
  }

  bookmark(): void {
    for (const watch of this.#watches) this.#tell(watch, bookmarkLine(this.#revision, false))
  }

  /** Sends raw text to all watches. */
  write(text: string): void {
    for (const watch of this.#watches) watch.response.write(text)
  }

  errorEvent(code: number, message = 'as the test wants it'): void {
    for (const watch of this.#watches) this.#tell(watch, statusLine(code, message))
  }

  resetWatches(): void {
    for (const watch of this.#watches) watch.response.destroy()
  }

  closeWatches(): void {
    for (const watch of this.#watches) this.#end(watch)
  }

  /** From now on connections are met with a certificate of this authority; those that are open stay. */
  async rotateCertificate(ca: TestCa): Promise<void> {
    this.#server.setSecureContext(await ca.issue({ ips: ['127.0.0.1'], names: ['localhost'] }))
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cutConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://fake')
    let body = ''
    for await (const chunk of request) body += chunk
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      isWatch: url.searchParams.get('watch') === 'true',
      authorization: request.headers.authorization,
      body,
    }
    this.seen.push(seen)
    const fault = this.fault(seen)
    if (fault !== undefined) return misbehave(fault, response)
    if (seen.authorization !== `Bearer ${this.token}`) return answer(response, 401, statusBody(401, 'Unauthorized'))
    const given = this.answer(seen)
    if (given !== undefined) return answer(response, given.status, given.body)
    if (seen.method !== 'GET') return this.#refuse(seen, response)
    if (seen.isWatch) return this.#watch(seen, response)
    return this.#read(seen, response)
  }

  #refuse(seen: SeenRequest, response: ServerResponse): void {
    this.unexpected.push(`${seen.method} ${seen.path}`)
    answer(response, 404, statusBody(404, `${seen.path} is not known`))
  }

  async #read(seen: SeenRequest, response: ServerResponse): Promise<void> {
    if (!this.#objects.has(seen.path)) {
      const [, parent = '', name = ''] = /^(.*)\/([^/]+)$/.exec(seen.path) ?? []
      if (!this.#objects.has(parent)) return this.#refuse(seen, response)
      const object = this.#collection(parent).get(name)
      await this.beforeListAnswer(seen)
      return object === undefined
        ? answer(response, 404, statusBody(404, `${name} not found`))
        : answer(response, 200, JSON.stringify(object))
    }
    const [revision, offset] = (seen.query.get('continue') ?? `${this.#revision}:0`).split(':').map(Number)
    if (revision === undefined || offset === undefined || revision < this.#compacted)
      return answer(response, 410, statusBody(410, 'the continue token expired'))
    const selected = this.all(seen.path).filter((object) => isSelected(seen.query, object))
    const end = offset + Math.min(this.pageSize, Number(seen.query.get('limit') ?? 500))
    const metadata = {
      resourceVersion: String(revision),
      ...(end < selected.length ? { continue: `${revision}:${end}` } : {}),
    }
    const page = JSON.stringify({ kind: 'List', metadata, items: selected.slice(offset, end) })
    await this.beforeListAnswer(seen)
    answer(response, 200, page)
  }

  #watch(seen: SeenRequest, response: ServerResponse): void {
    const wantsList = seen.query.get('sendInitialEvents') === 'true'
    if (!this.#objects.has(seen.path)) this.#refuse(seen, response)
    else if (wantsList && typeof this.watchList === 'number') {
      const text = 'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled'
      answer(response, this.watchList, statusBody(this.watchList, text))
    } else {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders()
      const watch: OpenWatch = { path: seen.path, query: seen.query, response }
      this.#watches.add(watch)
      response.on('close', () => this.#watches.delete(watch))
      const from = seen.query.get('resourceVersion')
      if (wantsList || from === null || from === '0') this.#tellFirstPart(watch, wantsList)
      else this.#tellSince(watch, Number(from))
    }
  }

  #tellFirstPart(watch: OpenWatch, wantsEnd: boolean): void {
    if (wantsEnd && this.watchList === 'error-event') {
      this.#tell(watch, statusLine(504, 'Timeout: Too large resource version'))
      this.#end(watch)
      return
    }
    for (const object of this.all(watch.path)) {
      if (isSelected(watch.query, object)) this.#tell(watch, eventLine('ADDED', object))
    }
    if (wantsEnd && this.watchList !== 'never-ends') this.#tell(watch, bookmarkLine(this.#revision, true))
  }

  #tellSince(watch: OpenWatch, revision: number): void {
    if (revision < this.#compacted) {
      this.#tell(watch, statusLine(410, `too old resource version: ${revision} (${this.#compacted})`))
      this.#end(watch)
      return
    }
    for (const change of this.#changes) {
      if (change.path === watch.path && change.revision > revision) this.#tellChange(watch, change)
    }
  }

  #change(change: Change): void {
    this.#changes.push(change)
    for (const watch of this.#watches) if (watch.path === change.path) this.#tellChange(watch, change)
  }

  #tellChange(watch: OpenWatch, change: Change): void {
    if (isSelected(watch.query, change.object)) this.#tell(watch, eventLine(change.type, change.object))
  }

  #tell(watch: OpenWatch, line: string): void {
    if (this.muted) return
    const bytes = Buffer.from(line)
    const step = this.chunkBytes ?? bytes.length
    for (let at = 0; at < bytes.length; at += step) watch.response.write(bytes.subarray(at, at + step))
  }

  #end(watch: OpenWatch): void {
    this.#watches.delete(watch)
    watch.response.end()
  }

  #collection(path: string): Map<string, KubeObject> {
    const known = this.#objects.get(path) ?? new Map<string, KubeObject>()
    this.#objects.set(path, known)
    return known
  }
}

function misbehave(fault: Fault, response: ServerResponse): void {
  if (fault === 'reset') response.socket?.destroy()
  else if (fault === 'close-at-once') response.writeHead(200).end()
  else if (fault === 'not-http') response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n')
  else if (fault !== 'silent')
    response.writeHead(fault.status, fault.headers).end(fault.body ?? statusBody(fault.status, 'as the test wants it'))
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}

function isSelected(query: URLSearchParams, object: KubeObject): boolean {
  const labels = query.get('labelSelector')?.split(',') ?? []
  const name = query.get('fieldSelector')?.replace(/^metadata\.name=/, '')
  return (
    (name === undefined || object.metadata.name === name) &&
    labels.every((label) => {
      const [key = '', value] = label.split('=')
      return object.metadata.labels?.[key] === value
    })
  )
}

export const statusBody = (code: number, message: string): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code })

export const eventLine = (type: Change['type'], object: KubeObject): string => `${JSON.stringify({ type, object })}\n`

const statusLine = (code: number, message: string): string => `{"type":"ERROR","object":${statusBody(code, message)}}\n`

export function bookmarkLine(revision: number, initialEnd: boolean): string {
  const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}
  return `${JSON.stringify({ type: 'BOOKMARK', object: { kind: 'X', metadata: { resourceVersion: String(revision), ...annotations } } })}\n`
}
