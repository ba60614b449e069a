// The file in which users find the rows that could not be carried: a line of JSON each, as they stand after the last run.
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { replaceFile } from '../lib/replace-file.ts'
import type { DeadLetter } from './contract.ts'
import { formatTime } from './window.ts'

/**
 * Writes `{"table","direction","id","reason","at"}` of each, `at` in ISO 8601, in place of what the file said before; without any the
 * file is removed. A new file and its folders are for their owner alone. Throws what the file system throws.
 */
export async function writeDeadLetterFile(path: string, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return await rm(path, { force: true })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await replaceFile(path, letters.map(writeLine).join(''), 0o600)
}

function writeLine({ table, direction, id, reason, at }: DeadLetter): string {
  return `${JSON.stringify({ table, direction, id, reason, at: formatTime(at) })}\n`
}
