// The one place where the environment of the process is read; everybody else is handed what it holds.
import type { Env } from './load.ts'

/** The environment as it is now. */
export function readProcessEnvironment(): Env {
  return { ...process.env }
}
