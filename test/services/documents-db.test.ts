// The commands of the pages that sync a Cassandra and an Elasticsearch, run as they stand.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { blocksFor, commandsOf, shownBy } from '../docs/claims.ts'
import { useDbServers } from './lib/db-bench.ts'
import type { DbScene } from './lib/db-scene.ts'
import { tieOf, timeuuidOf } from './lib/db-versions.ts'
import { linkSyncer, runBlock } from './lib/run-block.ts'
import { shapesOf } from './lib/text-shape.ts'

/** In the window that a page names, for one. */
const THEN = Date.UTC(2026, 0, 15)
const bench = useDbServers()

async function fill(scene: DbScene): Promise<void> {
  for (let n = 0; n < 3; n++) {
    const version = timeuuidOf(THEN + n, 7, tieOf(Math.random))
    await scene.cql(`INSERT INTO ${scene.name}.users (id, tmstmp, a) VALUES (?, ?, 'a')`, [randomUUID(), version])
  }
}

describe('commands of pages', () => {
  it.each(blocksFor('test/services/documents-db.test.ts'))('$page:$line $first', async (block) => {
    await using opened = await bench.open({ tables: { users: '(id uuid PRIMARY KEY, tmstmp timeuuid, a text)' } })
    const { scene } = opened
    await fill(scene)
    // What is in step before, a verify finds in step.
    if (block.first.includes('verify')) expect((await scene.run(['db', 'sync', 'app'])).code).toBe(0)
    const { name, contactPoint, url, folder } = scene
    const replacements = { '-k app -i app': `-k ${name} -i ${name} --cassandra ${contactPoint} --elasticsearch ${url}` }
    const printed = await runBlock(commandsOf(block), { folder, replacements, paths: [linkSyncer(folder)] })
    expect(printed).not.toBe('')
    for (const line of shapesOf(shownBy(block).join('\n'))) expect([...shapesOf(printed)]).toContain(line)
  })
})
