// Options that several commands share, and what they lead to.
import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import type { LoadedConfig } from '../config/load.ts'
import type { CliIo } from './io.ts'

export const OUTPUTS = ['text', 'json'] as const
export type Output = (typeof OUTPUTS)[number]

export const createConfigOption = (): Option =>
  new Option('--config <file>', 'configuration file (else SYNCER_CONFIG, else ./syncer.yaml when there is one)')

export const createOutputOption = (): Option =>
  new Option('--output <format>', 'how the result is written').choices(OUTPUTS).default('text')

/** The configuration in force, with every secret that it names at hand. Throws ConfigError. */
export async function loadWholeConfig(io: CliIo, path: string | undefined): Promise<LoadedConfig> {
  // Loaded here: schemas and their checks take most of the time that a command needs to start, and many need no configuration.
  const [{ loadConfig }, { checkSecrets }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/secrets.ts'),
  ])
  const loaded = await loadConfig({ path, env: io.env, cwd: io.cwd, readFile: (file) => readFile(file, 'utf8') })
  checkSecrets(loaded.config, io.env, loaded.source)
  return loaded
}
