import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, it } from 'vitest'
import { startProcess } from './lib/server-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'server-process-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Running and not a zombie that nobody has reaped yet. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

it('leaves no server and no folder behind when the process that started them is killed', async () => {
  const script = `
    import { startGateway } from ${JSON.stringify(join(import.meta.dirname, 'lib/nginx-gateway.ts'))}
    const gateway = await startGateway({ replicas: 2 })
    console.log(JSON.stringify(gateway.replicas.map(({ nginx }) => ({ pid: nginx.pid, folder: nginx.folder }))))
  `
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: owner.stdout }), 'line')
  const servers: { pid: number; folder: string }[] = JSON.parse(String(line))
  expect(servers).toHaveLength(2)
  const workers = servers.flatMap(({ pid }) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number),
  )
  expect(workers).toHaveLength(2)
  expect([...workers, ...servers.map(({ pid }) => pid)].every(isRunning)).toBe(true)

  owner.kill('SIGKILL')

  await expect
    .poll(() => [...workers, ...servers.map(({ pid }) => pid)].filter(isRunning), { timeout: 5_000 })
    .toEqual([])
  await expect.poll(() => servers.filter((server) => existsSync(server.folder))).toEqual([])
})

it('ends grandchildren that ignore SIGTERM', async () => {
  const script = `trap '' TERM; (trap '' TERM; sleep 300) & echo $! > ${folder}/grandchild; wait`
  const server = await startProcess({
    name: 'stubborn',
    command: 'bash',
    args: ['-c', script],
    stdoutFile: join(folder, 'stubborn.log'),
    ready: async () => readFileSync(join(folder, 'grandchild'), 'utf8').endsWith('\n'),
  })
  const grandchild = Number(readFileSync(join(folder, 'grandchild'), 'utf8'))
  expect(isRunning(grandchild)).toBe(true)
  expect(await server.stop(100)).toMatchObject({ signal: 'SIGKILL' })
  expect(isRunning(grandchild)).toBe(false)
})

it('tells what a server said that ends before it is ready', async () => {
  const options = {
    name: 'short-lived',
    command: 'bash',
    args: ['-c', 'echo no such cluster >&2; exit 7'],
    stdoutFile: join(folder, 'short-lived.log'),
  }
  await expect(startProcess({ ...options, ready: async () => false })).rejects.toThrow(
    /short-lived ended with .*7.*no such cluster/,
  )
})

it.each(['nginx-gateway', 'fault-replicas', 'stand-in', 'syncer'])(
  'brings %s up by name until it is told to stop',
  async (name) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'start.ts'), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready')) break
    child.kill('SIGINT')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  },
)
