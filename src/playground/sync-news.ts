// What the syncs of the service do while the playground runs: asked of its own API, told a line each.
import { request } from 'undici'
import type { Run, RunItem } from '../cli/run-text.ts'
import { type Clock, delay } from '../lib/clock.ts'
import { syncStory } from './story.ts'

export interface SyncNewsOptions {
  /** Base address of the service. */
  readonly url: string
  readonly clock: Clock
  readonly signal: AbortSignal
  tell(text: string): void
}

/** Time between two questions, in milliseconds. */
const EVERY_MS = 1_000

/** Tells of every sync that changed or failed something; resolves when `signal` aborts. Throws when the service cannot be asked. */
export async function tellSyncs({ url, clock, signal, tell }: SyncNewsOptions): Promise<void> {
  const told = new Set<string>()
  try {
    for (;;) {
      for (const run of (await ask<Run>(`${url}/v1/runs?limit=50`, signal)).reverse()) {
        if (run.endedAt === null || told.has(run.id)) continue
        told.add(run.id)
        const items = await ask<RunItem>(`${url}/v1/runs/${run.id}/items?limit=1000`, signal)
        const story = syncStory(run, items)
        if (story !== undefined) tell(story)
      }
      await delay(clock, EVERY_MS, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** The items of one page. */
async function ask<T>(url: string, signal: AbortSignal): Promise<T[]> {
  const answer = await request(url, { signal })
  const body = await answer.body.json()
  if (answer.statusCode !== 200) throw new Error(`${url} was answered ${answer.statusCode}: ${JSON.stringify(body)}`)
  return (body as { readonly items: T[] }).items
}
