import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../src/lib/logger.ts'

describe('the logger', () => {
  it('writes JSON lines with the level in words and the time in ISO 8601, from its level on', () => {
    const lines: string[] = []
    const logger = createLogger('info', { write: (line) => void lines.push(line) })
    logger.debug('no')
    logger.info({ a: 1 }, 'yes')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), a: 1, msg: 'yes' },
    ])
  })

  it.each(['', 'process.exit(3)', 'throw new Error("x")'])('loses no line when the process ends: %s', (end) => {
    const script = `import { createLogger } from ${JSON.stringify(join(import.meta.dirname, '../../src/lib/logger.ts'))}
      const logger = createLogger('info')
      for (let i = 0; i < 500; i++) logger.info({ i })
      ${end}`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
    expect(stderr.match(/"i":\d+/g)).toHaveLength(500)
  })
})
