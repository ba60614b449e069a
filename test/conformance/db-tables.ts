// What every store says of its tables, and how it makes one.
import { describe, expect, it } from 'vitest'
import { ALL, type DbScene, NOTE, newId, range, rowAt, T0, versionAt, writeAll } from './db-bench.ts'

export function describeTables(scene: DbScene): void {
  const { kinds, createsTables, isOpen } = scene.traits
  const [kind = 'latest'] = kinds

  describe('tables', () => {
    it.each(kinds)('are described, of the kind %s', async (each) => {
      const { table } = await scene.makeTable(each, [{ name: 'zeta', type: { kind: 'int' } }, NOTE])
      const facts = (await scene.store.describeTables([table.name], scene.signal)).get(table.name)
      expect(facts).toMatchObject({ name: table.name, kind: each, open: isOpen })
      if (facts === undefined || 'refused' in facts) return expect.unreachable()
      const types = isOpen ? ['json', 'json'] : ['text', 'int']
      expect(facts.columns).toEqual([
        { name: 'note', type: { kind: types[0] } },
        { name: 'zeta', type: { kind: types[1] } },
      ])
    })

    it('are all that there are, or those that were asked for and are there', async () => {
      const [one, other] = [await scene.makeTable(kind), await scene.makeTable(kind)]
      const all = await scene.store.describeTables('all', scene.signal)
      expect([...all.keys()]).toEqual(expect.arrayContaining([one.table.name, other.table.name]))
      const named = await scene.store.describeTables([one.table.name, 'nowhere'], scene.signal)
      expect([...named.keys()]).toEqual([one.table.name])
      expect(await scene.store.describeTables([], scene.signal)).toEqual(new Map())
    })

    it('that are missing are empty', async () => {
      const table = scene.store.openTable(scene.newTable(kind))
      const splits = await table.plan(ALL, { atLeast: 4, signal: scene.signal })
      for (const split of [...splits, ...table.shard(ALL, 0, 2), ...table.shard(ALL, 1, 2)])
        for await (const batch of table.scan(split, ALL, scene.signal))
          expect(batch).toEqual({ rows: [], history: 0, misfits: [] })
      expect(await table.find([newId()], scene.signal)).toEqual(new Map())
    })

    if (createsTables)
      it('that are missing are made, once, whoever makes them at the same time', async () => {
        const table = scene.newTable(kind)
        const stores = [scene.store, await scene.open(), await scene.open()]
        await Promise.all(stores.map((store) => store.createTable(table, scene.signal)))
        expect(await scene.bench.hasTable(table.name)).toBe(true)
        const facts = await scene.store.describeTables([table.name], scene.signal)
        expect(facts.get(table.name)).toMatchObject({ name: table.name, kind, open: isOpen })
        const row = rowAt(newId(), versionAt(T0))
        await writeAll(scene.store.openTable(table), [row])
        await (await scene.open()).createTable(table, scene.signal)
        expect((await scene.store.openTable(table).find([row.id], scene.signal)).get(row.id)).toEqual(row)
      })

    if (createsTables)
      it('that are made say of themselves what they were made of', async () => {
        const columns = range(30).map((n) => ({ name: `c${10 + n}`, type: { kind: 'text' } as const }))
        const table = scene.newTable(kind, columns)
        await scene.store.createTable(table, scene.signal)
        const facts = (await scene.store.describeTables([table.name], scene.signal)).get(table.name)
        if (facts === undefined || 'refused' in facts) return expect.unreachable()
        // An index may learn of its fields only when they come.
        if (!isOpen) expect(facts.columns).toEqual(columns)
      })

    if (!createsTables)
      it('that are missing are not made', async () => {
        const table = scene.newTable(kind)
        await expect(scene.store.createTable(table, scene.signal)).rejects.toMatchObject({
          name: 'TableRefusedError',
          message: expect.stringContaining(table.name),
        })
        expect(await scene.bench.hasTable(table.name)).toBe(false)
      })
  })

  describe('a store', () => {
    it('has an address that begins with its kind', () => {
      expect(scene.store.address).toMatch(new RegExp(`^${scene.store.kind} \\S`))
    })

    it('ends with the reason of the signal, whatever it is asked', async () => {
      const table = await scene.makeTable(kind)
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      const row = rowAt(newId(), versionAt(T0))
      const [split = ''] = table.shard(ALL, 0, 1)
      const scan = async () => {
        for await (const _ of table.scan(split, ALL, signal));
      }
      const calls = [
        scene.store.describeTables('all', signal),
        createsTables ? scene.store.createTable(table.table, signal) : Promise.reject(reason),
        table.plan(ALL, { signal }),
        table.find([row.id], signal),
        table.remove([row], signal),
        scan(),
        writeAll(table, [row], { signal }),
      ]
      for (const result of await Promise.allSettled(calls)) expect(result).toEqual({ status: 'rejected', reason })
      expect(await scene.get(table, row.id)).toEqual([])
    })
  })
}
