import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tellSyncs } from '../../src/playground/sync-news.ts'
import { aRun, ITEMS } from '../cli/run-service.ts'
import { eventually } from '../lib/eventually.ts'
import { FakeClock } from '../lib/fake-clock.ts'

let runs: readonly object[]
let status: number
let asked: number
let server: ReturnType<typeof createServer>
let url: string
beforeEach(async () => {
  runs = []
  status = 200
  asked = 0
  server = createServer(({ url: path }, response) => {
    const isList = path?.startsWith('/v1/runs?') === true
    if (isList) asked++
    response
      .writeHead(status, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ items: isList ? runs : ITEMS, nextCursor: null }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

describe('the news of syncs', () => {
  it('are told once each, the oldest first, when they have ended', async () => {
    const clock = new FakeClock()
    const stopping = new AbortController()
    const told: string[] = []
    const telling = tellSyncs({ url, clock, signal: stopping.signal, tell: (text) => void told.push(text) })
    const poll = async () => {
      const before = asked
      await eventually(() => clock.pending > 0)
      await clock.advance(1_000)
      await eventually(() => asked > before && clock.pending > 0)
    }
    const first = aRun({ id: '1', endedAt: '2026-01-01T00:00:10.000Z' })
    const second = aRun({ id: '2', endedAt: '2026-01-01T00:00:20.000Z' })
    runs = [{ ...second, endedAt: null, summary: null }, first]
    await poll()
    expect(told.map((text) => text.slice(0, 8))).toEqual(['00:00:10'])
    runs = [aRun({ id: '3', endedAt: '2026-01-01T00:00:30.000Z' }), second, first]
    await poll()
    expect(told.map((text) => text.slice(0, 8))).toEqual(['00:00:10', '00:00:20', '00:00:30'])
    stopping.abort()
    await telling
  })

  it('end when the service cannot be asked', async () => {
    status = 500
    const signal = new AbortController().signal
    await expect(tellSyncs({ url, clock: new FakeClock(), signal, tell: () => {} })).rejects.toThrow(
      '/v1/runs?limit=50 was answered 500',
    )
  })
})
