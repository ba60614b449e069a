// `npm run bench [-- NAME…]`: measures, and writes docs/benchmarks.md when everything was measured.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { benchDsync } from './dsync.ts'
import { benchSynced } from './synced.ts'
import { benchTokens } from './tokens.ts'

const BENCHES: Readonly<Record<string, (log: (line: string) => void) => Promise<string>>> = {
  synced: benchSynced,
  tokens: benchTokens,
  dsync: benchDsync,
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !(name in BENCHES))
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

const sections: string[] = []
for (const [name, bench] of Object.entries(BENCHES)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue
  sections.push(await bench((line) => console.error(`${name}: ${line}`)))
}

const page = `# Benchmarks

Written by \`npm run bench\`; numbers of one run on one machine, so compare the ratios, not the numbers.

${machine()}

${sections.join('\n\n')}
`
if (chosen.length === 0) writeFileSync(fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url)), page)
console.log(page)

function machine(): string {
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const nginx = spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr.replace('nginx version: ', '').trim()
  const model = cpus()[0]?.model.trim() || 'unknown processor'
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}, undici ${dependencies.undici}, fastify ${dependencies.fastify}, ${nginx}.`
}
