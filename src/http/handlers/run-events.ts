// GET /v1/runs/{id}/events: what a run does, as it does it.
import type { Clock } from '../../lib/clock.ts'
import type { RunEvent, Runs } from '../../runs/contract.ts'
import type { Handlers } from '../contract.ts'
import { describeRun, findRun } from '../run-answers.ts'
import { type ServerSentEvent, writeEvents } from '../server-sent-events.ts'

export function createStreamRunEvents(runs: () => Runs, clock: Clock): Handlers['streamRunEvents'] {
  return async ({ params, headers }, call) => {
    const { id } = await findRun(runs(), params.id)
    const signal = call.untilOver()
    const events = runs().follow(id, Number(headers['last-event-id'] ?? 0), signal)
    return {
      status: 200,
      type: 'text/event-stream',
      headers: { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      body: writeEvents(toServerSent(events), clock, signal),
    }
  }
}

async function* toServerSent(events: AsyncIterable<RunEvent>): AsyncGenerator<ServerSentEvent, void, undefined> {
  for await (const event of events) yield toServerSentEvent(event)
}

function toServerSentEvent(event: RunEvent): ServerSentEvent {
  switch (event.type) {
    case 'item':
      return { event: 'item', id: String(event.item.seq), data: event.item.body }
    case 'progress':
      return { event: 'progress', data: JSON.stringify(event.progress) }
    case 'end':
      return { event: 'end', data: JSON.stringify(describeRun(event.run)) }
  }
}
