// From the command line, the environment and a file to the configuration in force: one frozen object, or every problem at once.
// Read, parse, override, fill in, check the schema, check the rules; only then is there a configuration.
import { dirname, resolve } from 'node:path'
import { type ConfigDocument, parseText } from './document.ts'
import { ConfigError } from './error.ts'
import { fillDefaults } from './fill.ts'
import { checkRules } from './rules.ts'
import { type Config, ConfigSchema } from './schema.ts'
import { isRecord, plainSchema } from './schema-node.ts'
import { type Problem, pathOf, validate } from './validate.ts'

const schema = plainSchema(ConfigSchema)

export type Env = Readonly<Record<string, string | undefined>>

export interface LoadOptions {
  /** `--config`. */
  readonly path?: string | undefined
  readonly env: Env
  /** Absolute; relative paths of `path`, and of a configuration without a file, are taken from here. */
  readonly cwd: string
  /** Rejects with code ENOENT when there is no such file. */
  readonly readFile: (path: string) => Promise<string>
}

export interface LoadedConfig {
  readonly config: Config
  /** Absolute path of the file, or `defaults`. */
  readonly source: string
  /** What the environment decided in place of the file. */
  readonly overrides: readonly Override[]
}

export interface Override {
  /** `listen.port` */
  readonly path: string
  readonly variable: string
}

/** The configuration in force. Throws ConfigError with everything that is wrong; a failing `readFile` other than ENOENT too. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { source, text } = await findFile(options)
  const parsed = parseText(text)
  if (!parsed.ok) throw new ConfigError(source, parsed.problems)
  const folder = source === 'defaults' ? options.cwd : dirname(source)
  return { ...resolveConfig(parsed.document, options.env, { source, folder }), source }
}

async function findFile({ path, env, cwd, readFile }: LoadOptions): Promise<{ source: string; text: string }> {
  const asked = path ?? nonEmpty(env['SYNCER_CONFIG'])
  const file = resolve(cwd, asked ?? 'syncer.yaml')
  try {
    return { source: file, text: await readFile(file) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    if (code === 'ENOENT' && asked === undefined) return { source: 'defaults', text: '' }
    const from =
      path !== undefined ? '--config' : asked !== undefined ? 'SYNCER_CONFIG' : 'found in the working directory'
    throw new ConfigError(file, [
      code === 'ENOENT' ? `no such file (${from})` : `the file cannot be read: ${code} (${from})`,
    ])
  }
}

function resolveConfig(
  document: ConfigDocument,
  env: Env,
  { source, folder }: { source: string; folder: string },
): { config: Config; overrides: readonly Override[] } {
  const { value, overrides } = applyEnvironment(document.value, env)
  const filled = fillDefaults(schema, value, folder)
  const problems = validate(schema, filled)
  if (problems.length > 0) throw refused(source, problems, document, overrides)

  const config = filled as Config
  const broken = checkRules(config, {
    authMode: isRecord(value) && isRecord(value['auth']) && value['auth']['mode'] !== undefined,
  })
  if (broken.length > 0) throw refused(source, broken, document, overrides)
  return { config: deepFreeze(config), overrides }
}

const VARIABLES = [
  { variable: 'HOST', at: ['listen', 'host'], parse: (text: string): unknown => text },
  {
    variable: 'PORT',
    at: ['listen', 'port'],
    parse: (text: string): unknown => (/^\d{1,9}$/.test(text) ? Number(text) : text),
  },
  { variable: 'LOG_LEVEL', at: ['log', 'level'], parse: (text: string): unknown => text.toLowerCase() },
] as const

/** The value with HOST, PORT and LOG_LEVEL in it; an empty variable counts as not set. */
function applyEnvironment(written: unknown, env: Env): { value: unknown; overrides: readonly Override[] } {
  let value = written
  const overrides: Override[] = []
  for (const { variable, at, parse } of VARIABLES) {
    const text = nonEmpty(env[variable])
    const [section, key] = at
    if (text === undefined || !isRecord(value)) continue
    const before = value[section] === undefined ? {} : value[section]
    if (!isRecord(before)) continue
    value = { ...value, [section]: { ...before, [key]: parse(text) } }
    overrides.push({ path: `${section}.${key}`, variable })
  }
  return { value, overrides }
}

function refused(
  source: string,
  problems: readonly Problem[],
  document: ConfigDocument,
  overrides: readonly Override[],
): ConfigError {
  const placed = problems.map(({ at, message }) => {
    const path = pathOf(at)
    const variable = overrides.find((override) => override.path === path)?.variable
    const line = variable === undefined ? document.lineOf(at) : undefined
    const where =
      variable !== undefined ? ` (environment variable ${variable})` : line !== undefined ? ` (line ${line})` : ''
    return { line: line ?? 0, text: `${path}: ${message}${where}` }
  })
  placed.sort((a, b) => a.line - b.line)
  return new ConfigError(source, [...new Set(placed.map(({ text }) => text))])
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
