// Runs a command to its end while tests are prepared, and shows what it says only when it fails.
import { spawn } from 'node:child_process'

/** How long a command may take when nothing else is said: ten minutes. */
const TIMEOUT_MS = 600_000

/** Resolves with what the command wrote to standard output. Throws with the end of all that it said when it fails or takes too long. */
export async function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    signal: AbortSignal.timeout(timeoutMs),
    killSignal: 'SIGKILL',
  })
  let said = ''
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${said.slice(-2_000)}`)
  return stdout
}
