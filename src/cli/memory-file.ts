// What one sync remembers for the next where no service does: a small file of JSON, for one set of clusters.
import { readFile } from 'node:fs/promises'
import type { ClusterUrl, SyncMemory } from '../tokens/contract.ts'
import { CliError, FAILED } from './exit.ts'

interface MemoryFile {
  readonly version: 1
  readonly clusters: readonly ClusterUrl[]
  readonly memory: SyncMemory
}

/** Undefined when there is no such file yet, or when it is about other clusters. Throws CliError for what is no file of this kind. */
export async function readMemoryFile(
  path: string,
  clusters: readonly ClusterUrl[],
  command: string,
): Promise<SyncMemory | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const file = parse(text)
  if (file === undefined)
    throw new CliError(FAILED, `${command}: ${path} is no memory of a sync: name another file, or take it away`)
  return String([...file.clusters].sort()) === String([...clusters].sort()) ? file.memory : undefined
}

/** The text of the file. */
export function memoryFileText(memory: SyncMemory, clusters: readonly ClusterUrl[]): string {
  const file: MemoryFile = { version: 1, clusters: [...clusters].sort(), memory }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

function parse(text: string): MemoryFile | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return isMemoryFile(value) ? value : undefined
}

function isMemoryFile(value: unknown): value is MemoryFile {
  if (!isRecord(value) || value['version'] !== 1 || !isRecord(value['memory'])) return false
  const { listed, selectedUpTo } = value['memory']
  return (
    Array.isArray(value['clusters']) &&
    value['clusters'].every((one) => typeof one === 'string') &&
    isRecord(listed) &&
    Object.values(listed).every((one) => typeof one === 'number') &&
    (selectedUpTo === undefined || typeof selectedUpTo === 'string')
  )
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
