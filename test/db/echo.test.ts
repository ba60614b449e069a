import { describe, expect, it } from 'vitest'
import { createEcho } from '../../src/db/echo.ts'
import { idOf, versionAt } from './memory-store.ts'

describe('an echo', () => {
  it('knows every row that was added, and next to no other', () => {
    const echo = createEcho()
    expect(echo.has(idOf(0), versionAt(0))).toBe(false)
    const rows = Array.from({ length: 20_000 }, (_, nth) => [idOf(nth), versionAt(1_000 + (nth % 100), nth)] as const)
    for (const [id, version] of rows) echo.add(id, version)
    expect(rows.every(([id, version]) => echo.has(id, version))).toBe(true)
    // The next version of each, and the same version of another id: neighbours that must not look alike.
    const others = rows.flatMap(([, version], nth) => [
      echo.has(idOf(nth), { ...version, low: version.low + 1 }),
      echo.has(idOf(nth), { ...version, tieLow: version.tieLow ^ 1 }),
      echo.has(idOf(nth + 1), version),
    ])
    expect(others.filter(Boolean).length).toBeLessThan(10)
    echo.clear()
    expect(rows.some(([id, version]) => echo.has(id, version))).toBe(false)
  })
})
