// What the configuration only names: secrets in the environment or in files, and PEM files. The contents live here, never in the Config.
// Files are looked at again when they are read; one that cannot be used any more keeps its last good content.
import { type Clock, systemClock } from '../lib/clock.ts'
import { findKeyPairFault } from '../lib/key-pair.ts'
import { every, WatchedFile } from '../lib/watched-file.ts'
import { ConfigError } from './error.ts'
import type { Env } from './load.ts'
import { type Config, ConfigSchema, type FileRef, type SecretRef } from './schema.ts'
import { isRecord, isReference, plainSchema, type SchemaNode, walk } from './schema-node.ts'

/** A secret that can be asked for again and again. */
export interface Secret {
  /** The value as it is now, without the newline at its end. Synchronous and cheap: the file is looked at once a second at most. */
  read(): string
  /** Where it is: `environment variable NAME` or `file /path`. Never the value. */
  describe(): string
}

/** A PEM file that can be asked for again and again. */
export interface PemFile extends Secret, Disposable {
  /** Why the file as it is now cannot be used (the last good content is served meanwhile); undefined when all is well. */
  readonly problem: string | undefined
}

export interface OpenOptions {
  readonly clock?: Clock
}

export interface OpenFileOptions extends OpenOptions {
  /** Called with the new content after every change, until the file is disposed of. */
  readonly onChange?: (content: string) => void
  /** How often the file is looked at for `onChange`, in milliseconds; 5000 when left out. */
  readonly pollEveryMs?: number
}

/** Opens a secret. Throws ConfigError when the variable is not set or the file cannot be read, or is empty. */
export function openSecret(ref: SecretRef, env: Env, options: OpenOptions = {}): Secret {
  if ('file' in ref) {
    const file = openWatched(ref.file, refuseEmpty, options.clock)
    return { read: () => trimNewline(file.read()), describe: () => `file ${ref.file}` }
  }
  const value = env[ref.env]
  if (value === undefined) throw new ConfigError(ref.env, [`environment variable ${ref.env} is not set`])
  if (value === '') throw new ConfigError(ref.env, [`environment variable ${ref.env} is empty`])
  return { read: () => value, describe: () => `environment variable ${ref.env}` }
}

/** Opens a PEM file; with `onChange` it is watched until disposed of. Throws ConfigError when it cannot be read or is no PEM file. */
export function openFile(ref: FileRef, options: OpenFileOptions = {}): PemFile {
  const { clock = systemClock, onChange, pollEveryMs = 5_000 } = options
  const file = openWatched(ref.file, refuseOtherThanPem, clock)
  let seen = file.read()
  const watch =
    onChange === undefined
      ? undefined
      : every(clock, pollEveryMs, () => {
          const content = file.read()
          if (content === seen) return
          seen = content
          onChange(content)
        })
  return {
    read: () => file.read(),
    describe: () => `file ${ref.file}`,
    get problem() {
      return file.problem
    },
    [Symbol.dispose]: () => watch?.[Symbol.dispose](),
  }
}

/**
 * Opens everything that the configuration names, once, and throws ConfigError with all that is missing or does not fit together, each with
 * its place. `source`: what the error is about, as LoadedConfig carries it.
 */
export function checkSecrets(config: Config, env: Env, source: string): void {
  const problems: string[] = []
  const note = (path: string, check: () => void): void => {
    try {
      check()
    } catch (error) {
      const reasons = error instanceof ConfigError ? error.problems : [String(error)]
      problems.push(...reasons.map((reason) => `${path}: ${reason}`))
    }
  }
  walk(plainSchema(ConfigSchema), config, (path, node, value) => {
    if (!isRecord(value)) return
    if (isReference(node)) note(path, () => openReference(node, value, env))
    else if (isFileRef(value['cert']) && isFileRef(value['key'])) {
      const { cert, key } = value
      note(path, () => checkKeyPair(cert, key))
    }
  })
  if (problems.length > 0) throw new ConfigError(source, problems)
}

function openReference(node: SchemaNode, ref: Record<string, unknown>, env: Env): void {
  const { env: name, file } = ref
  if (typeof name === 'string') openSecret({ env: name }, env)
  else if (typeof file === 'string' && isPemNode(node)) openFile({ file })
  else if (typeof file === 'string') openSecret({ file }, env)
}

/** Whether the pair fits; a file that cannot be read is told at its own place. */
function checkKeyPair(cert: FileRef, key: FileRef): void {
  let material: { readonly cert: string; readonly key: string }
  try {
    material = { cert: openFile(cert).read(), key: openFile(key).read() }
  } catch {
    return
  }
  const fault = findKeyPairFault(material)
  if (fault !== undefined) throw new ConfigError(cert.file, [fault])
}

const isFileRef = (value: unknown): value is FileRef => isRecord(value) && typeof value['file'] === 'string'

function openWatched(
  path: string,
  refuse: (content: string) => string | undefined,
  clock: Clock = systemClock,
): WatchedFile {
  try {
    return new WatchedFile({ path, clock, refuse })
  } catch (error) {
    throw new ConfigError(path, [error instanceof Error ? error.message : String(error)])
  }
}

const PEM = 'application/x-pem-file'
const isPemNode = (node: SchemaNode): boolean => node.properties?.['file']?.contentMediaType === PEM

const trimNewline = (content: string): string => content.replace(/(\r?\n)+$/, '')
const refuseEmpty = (content: string): string | undefined => (trimNewline(content) === '' ? 'is empty' : undefined)
const refuseOtherThanPem = (content: string): string | undefined =>
  /-----BEGIN [A-Z0-9 ]+-----[\s\S]+-----END [A-Z0-9 ]+-----/.test(content) ? undefined : 'holds no PEM block'
