import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configFromEnv, createMemoryDriver, Dsync } from '../../src/dsync/index.ts'

const ROOT = join(import.meta.dirname, '../..')

describe('importing syncer/dsync', () => {
  it('loads its own files, few of lib and of Node, and no package: no server, no database, no client for Kubernetes', () => {
    const script = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
      await import(${JSON.stringify(join(ROOT, 'src/dsync/index.ts'))})
      console.log(JSON.stringify(loaded))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const loaded: string[] = JSON.parse(stdout)
    const others = loaded.map((url) => url.replace(`file://${ROOT}/`, '')).filter((url) => !/^src\/dsync\//.test(url))
    expect(others.sort()).toEqual([
      'node:crypto',
      'node:events',
      'src/lib/backoff.ts',
      'src/lib/clock.ts',
      'src/lib/with-deadline.ts',
    ])
    expect(loaded.some((url) => url.endsWith('kubernetes-driver.ts'))).toBe(false)
  }, 30_000)
})

describe('the configuration from the environment', () => {
  it('has defaults, and an instance that stays the same', () => {
    const first = configFromEnv({})
    expect(first).toMatchObject({ namespace: 'default', scope: 'unscoped', kubeConfigPath: undefined })
    expect(first.instance).toMatch(/^[0-9a-f-]{36}$/)
    expect(configFromEnv({}).instance).toBe(first.instance)
  })

  it('reads the names that users know, and others', () => {
    const env = { KUBE_NAMESPACE: 'n', KUBE_LEASE_SCOPE: 's', KUBE_POD_NAME: 'p', KUBE_CONFIG_PATH: '/k', MY_POD: 'q' }
    expect(configFromEnv(env)).toEqual({ namespace: 'n', scope: 's', instance: 'p', kubeConfigPath: '/k' })
    expect(configFromEnv(env, { instance: 'MY_POD' }).instance).toBe('q')
    expect(configFromEnv({ KUBE_NAMESPACE: '' }).namespace).toBe('default')
  })

  it('gives a name to who has none', () => {
    expect(new Dsync(createMemoryDriver()).instance).toBe(configFromEnv({}).instance)
    expect(new Dsync(createMemoryDriver(), '').instance).toBe(configFromEnv({}).instance)
  })
})
