// `npm run bench [-- NAME…]`: measures, prints what was measured, and puts it into docs/benchmarks.md in place of what stood there.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { benchDb } from './db.ts'
import { benchDbMemory } from './db-memory.ts'
import { benchDsync } from './dsync.ts'
import { benchSynced } from './synced.ts'
import { benchTokens } from './tokens.ts'

const BENCHES: Readonly<Record<string, (log: (line: string) => void) => Promise<string>>> = {
  synced: benchSynced,
  tokens: benchTokens,
  dsync: benchDsync,
  db: benchDb,
  dbmemory: benchDbMemory,
}
/** Takes the better part of an hour: only when it is named. */
const LONG = ['dbmemory']

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

const PAGE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url))
const sections = readSections()
for (const [name, bench] of Object.entries(BENCHES)) {
  if (chosen.length > 0 ? !chosen.includes(name) : LONG.includes(name)) continue
  const section = `${await bench((line) => console.error(`${name}: ${line}`))}\n\n${machine()}`
  sections.set(name, section)
  console.log(section)
}
writeFileSync(PAGE, renderPage())

function renderPage(): string {
  const written = Object.keys(BENCHES).flatMap((name) => {
    const section = sections.get(name)
    return section === undefined ? [] : [`<!-- ${name} -->\n\n${section}`]
  })
  return `# Benchmarks

Written by \`npm run bench\`, each part in one run on one machine: compare the ratios, not the numbers.

${written.join('\n\n')}
`
}

/** The parts of the page as it is, by name. */
function readSections(): Map<string, string> {
  const [, ...parts] = readFileSync(PAGE, 'utf8').split(/^<!-- (\w+) -->$/m)
  const found = new Map<string, string>()
  for (let at = 0; at + 1 < parts.length; at += 2) found.set(parts[at] ?? '', (parts[at + 1] ?? '').trim())
  return found
}

function machine(): string {
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const nginx = spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.replace('nginx version: ', '').trim()
  const model = cpus()[0]?.model.trim() || 'unknown processor'
  return `Measured on ${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}, undici ${dependencies.undici}, fastify ${dependencies.fastify}, ${nginx}.`
}
