// A user without rights for servers that refuse to run as root; whoever is not root runs them as himself.
import { spawnSync } from 'node:child_process'
import { runCommand } from './run-command.ts'

const USER = 'syncer-test'

const isRoot = () => process.getuid?.() === 0
const isThere = () => spawnSync('id', ['-u', USER]).status === 0

/** Makes the user where we are root, unless it is there. Throws when it cannot be made. */
export async function ensureSystemUser(): Promise<void> {
  if (!isRoot() || isThere()) return
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent']
  await runCommand('useradd', [...options, '--shell', '/usr/sbin/nologin', USER])
}

/** What starts the command as that user, where we are root. */
export function asSystemUser(
  command: string,
  args: readonly string[],
): readonly [command: string, args: readonly string[]] {
  return isRoot()
    ? ['setpriv', ['--reuid', USER, '--regid', USER, '--clear-groups', command, ...args]]
    : [command, args]
}

/** Hands these, and with `recursive` all that is in them, to that user, where we are root. */
export async function giveToSystemUser(paths: readonly string[], { recursive = false } = {}): Promise<void> {
  if (isRoot()) await runCommand('chown', [...(recursive ? ['-R'] : []), `${USER}:${USER}`, ...paths])
}
