// Pure: what `syncer config check` shows: the configuration in force, where it came from, and no secret.
import { stringify } from 'yaml'
import type { LoadedConfig } from './load.ts'
import type { Config } from './schema.ts'
import { isRecord } from './schema-node.ts'

/** The configuration in force as text: YAML with its origin as comments, or one JSON object `{source, overrides, config}`. */
export function describeConfig(loaded: LoadedConfig, format: 'yaml' | 'json'): string {
  const { source, overrides } = loaded
  const config = maskConfig(loaded.config)
  if (format === 'json') return `${JSON.stringify({ source, overrides, config }, undefined, 2)}\n`
  const from =
    source === 'defaults' ? '# Configuration in force: no file, defaults' : `# Configuration in force, from ${source}`
  const comments = [
    from,
    ...overrides.map(({ path, variable }) => `# ${path} is set by the environment variable ${variable}`),
  ]
  return `${comments.join('\n')}\n${configYaml(config)}`
}

/** A configuration as YAML that loads to the same configuration again. */
export function configYaml(config: unknown): string {
  return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** A copy that may be shown: secrets are references already, hashes of tokens are cut to their first eight digits. */
export function maskConfig(config: Config): unknown {
  return mask(config, '')
}

function mask(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === 'sha256' ? `${value.slice(0, 8)}…` : value
  if (Array.isArray(value)) return value.map((item) => mask(item, key))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mask(inner, name)]))
}
