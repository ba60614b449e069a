// Any order of what users and the sync do, and any faults in between: at the end every id has the newest version that anybody wrote,
// and nobody's newer document was ever written over.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Row } from '../../../src/db/document.ts'
import { compareVersions, formatTimeuuid, parseTimeuuid, type Version } from '../../../src/db/timeuuid.ts'
import type { Fault } from './lib/fake-search.ts'
import { documentOf, INDEX, idOf, openScene, rowOf, type Scene, T0, TABLE, versionAt, writeRows } from './lib/scene.ts'

const IDS = 4

interface UserWrite {
  readonly id: number
  readonly version: Version
  /** How the date is written; the version is in the document all the same. */
  readonly notation: 'plain' | 'zone' | 'list'
  readonly refreshes: boolean
}

const anyVersion = fc.tuple(fc.nat(6), fc.nat(3)).map(([ms, tie]) => versionAt(ms, tie))
const anyUserWrite: fc.Arbitrary<UserWrite | 'delete' | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ id: fc.nat(IDS - 1), version: anyVersion, refreshes: fc.boolean() },
      notation: fc.constantFrom('plain' as const, 'zone' as const, 'list' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant('delete' as const) },
)
const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Fault[]>(
      'reset',
      'reset-after',
      { status: 429, body: {} },
      { status: 503, body: {} },
      (reply) => JSON.stringify(reply.body).slice(0, 20),
    ),
  },
)
const anyStep = fc.record({ user: anyUserWrite, fault: anyFault })
const anyRun = fc.record({
  before: fc.array(fc.record({ id: fc.nat(IDS - 1), version: anyVersion }), { maxLength: 4 }),
  // Writers one after the other: later ones look first where most was there.
  writers: fc.array(
    fc.uniqueArray(fc.record({ id: fc.nat(IDS - 1), version: anyVersion }), { selector: ({ id }) => id, minLength: 1 }),
    {
      minLength: 1,
      maxLength: 5,
    },
  ),
  steps: fc.array(anyStep, { maxLength: 60 }),
})

describe('rows and users that write at the same time', () => {
  it('leave the newest version of each id, whatever happens in which order', async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, async ({ before, writers, steps }) => {
        await using scene = await openScene()
        await scene.store.createTable(TABLE, scene.signal)
        const history = new History(scene)
        for (const { id, version } of before) history.writeAsUser({ id, version, notation: 'plain', refreshes: true })
        let at = 0
        scene.fake.onRequest = () => history.step(steps[at++])
        for (const rows of writers) {
          const outcomes = await writeRows(
            scene,
            rows.map(({ id, version }) => rowOf(id, version, 'sync')),
          )
          for (const row of rows.map(({ id, version }) => rowOf(id, version))) history.settle(row, outcomes[row.id])
        }
        history.check()
      }),
      { numRuns: 300 },
    )
  }, 120_000)

  it('leave the newest version of each id where several writers have the same ids', async () => {
    await fc.assert(
      fc.asyncProperty(anyRun, async ({ before, writers, steps }) => {
        await using scene = await openScene()
        await scene.store.createTable(TABLE, scene.signal)
        const history = new History(scene)
        for (const { id, version } of before) history.writeAsUser({ id, version, notation: 'plain', refreshes: true })
        let at = 0
        scene.fake.onRequest = () => history.step(steps[at++])
        await Promise.all(
          writers.map(async (rows) => {
            const outcomes = await writeRows(
              scene,
              rows.map(({ id, version }) => rowOf(id, version, 'sync')),
            )
            for (const row of rows.map(({ id, version }) => rowOf(id, version))) history.settle(row, outcomes[row.id])
          }),
        )
        history.check()
      }),
      { numRuns: 200 },
    )
  }, 120_000)
})

/** What was written by whom, and what has to be there at the end. */
class History {
  readonly #scene: Scene
  /** Per id: what users have written since it was last deleted. */
  readonly #newest = new Map<string, Version>()
  readonly #deleted = new Set<string>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  step(step: { readonly user: UserWrite | 'delete' | undefined; readonly fault: Fault } | undefined): Fault {
    if (step?.user === 'delete') this.#delete(idOf(0))
    else if (step?.user !== undefined) this.writeAsUser(step.user)
    return step?.fault
  }

  /** A user changes what is older than the change, as users do: by what is there. */
  writeAsUser({ id: at, version, notation, refreshes }: UserWrite): void {
    const { fake } = this.#scene
    const id = idOf(at)
    const there = versionIn(fake.get(INDEX, id))
    if (there !== undefined && compareVersions(there, version) > 0) return
    fake.put(INDEX, id, writtenAs(notation, rowOf(at, version, 'user')))
    this.#note(id, version)
    if (refreshes) fake.refresh(INDEX)
  }

  settle({ id, version }: Row, outcome: string | undefined): void {
    expect(outcome).toMatch(/^(applied|older|equal)$/)
    // A row that was applied or found older is part of what has to be there; a delete may have come after it.
    if (!this.#deleted.has(id)) this.#note(id, version)
  }

  check(): void {
    for (const [id, version] of this.#newest) {
      if (this.#deleted.has(id)) continue
      const there = versionIn(this.#scene.fake.get(INDEX, id))
      expect(there && formatTimeuuid(there), id).toBe(formatTimeuuid(version))
    }
  }

  #delete(id: string): void {
    if (this.#scene.fake.get(INDEX, id) === undefined) return
    this.#scene.fake.delete(INDEX, id)
    this.#deleted.add(id)
  }

  #note(id: string, version: Version): void {
    const newest = this.#newest.get(id)
    if (newest === undefined || compareVersions(version, newest) > 0) this.#newest.set(id, version)
  }
}

function versionIn(document: Record<string, unknown> | undefined): Version | undefined {
  return document === undefined ? undefined : parseTimeuuid(String(document['tmstmp_uuid']))
}

function writtenAs(notation: UserWrite['notation'], row: Row): string {
  const document = JSON.parse(documentOf(row)) as { tmstmp: string }
  if (notation === 'plain') return JSON.stringify(document)
  const shifted = new Date(Date.parse(document.tmstmp) + 7_200_000).toISOString().replace('Z', '+02:00')
  const tmstmp = notation === 'zone' ? shifted : [new Date(T0 - 86_400_000).toISOString(), document.tmstmp]
  return JSON.stringify({ ...document, tmstmp })
}
