// Leaves nothing behind, also when the process that started servers is killed: a small shell holds the other end of a pipe,
// and when that pipe closes it kills the process groups and removes the folders that are still on its list.
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

const SCRIPT = `
trap '' INT TERM HUP
declare -A groups folders
while IFS=' ' read -r verb what; do
  case "$verb" in
    +group) groups["$what"]=1 ;;
    -group) unset "groups[$what]" ;;
    +folder) folders["$what"]=1 ;;
    -folder) unset "folders[$what]" ;;
  esac
done
for group in "\${!groups[@]}"; do kill -KILL -- "-$group" 2>/dev/null; done
for folder in "\${!folders[@]}"; do rm -rf -- "$folder"; done
`

const groups = new Set<number>()
const folders = new Set<string>()
let watchdog: ChildProcess | undefined

/** Kills this process group when the calling process ends, however it ends. Returns what takes it off the list. */
export function guardGroup(pgid: number): () => void {
  tell(`+group ${pgid}`)
  groups.add(pgid)
  return () => {
    if (groups.delete(pgid)) tell(`-group ${pgid}`)
  }
}

/** Removes this folder when the calling process ends, however it ends. Returns what takes it off the list. */
export function guardFolder(path: string): () => void {
  tell(`+folder ${path}`)
  folders.add(path)
  return () => {
    if (folders.delete(path)) tell(`-folder ${path}`)
  }
}

/** Sends a signal to every process of a group; false when there is none any more. */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

function tell(line: string): void {
  watchdog ??= start()
  watchdog.stdin?.write(`${line}\n`)
}

function start(): ChildProcess {
  const child = spawn('bash', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  const stdin = child.stdin
  if (stdin !== null && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  process.on('exit', () => {
    for (const pgid of groups) signalGroup(pgid, 'SIGKILL')
    for (const path of folders) rmSync(path, { recursive: true, force: true })
  })
  return child
}
