// Loads a configuration from its text, as if it stood in /etc/syncer/syncer.yaml.
import { expect } from 'vitest'
import { ConfigError } from '../../src/config/error.ts'
import { type Env, type LoadedConfig, loadConfig } from '../../src/config/load.ts'

export function loadText(text: string, env: Env = {}): Promise<LoadedConfig> {
  return loadConfig({ path: '/etc/syncer/syncer.yaml', env, cwd: '/unused', readFile: async () => text })
}

/** What is wrong with it; a configuration that is accepted fails the test. */
export async function problemsOf(text: string, env: Env = {}): Promise<readonly string[]> {
  const error = await loadText(text, env).then(
    () => expect.unreachable('accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).problems
}
