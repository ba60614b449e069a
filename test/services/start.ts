// `node test/services/start.ts NAME`: brings one of the servers of the tests up to try things by hand, until Ctrl-C.
import { once } from 'node:events'
import { isServerName, SERVERS } from './lib/servers.ts'

const name = process.argv[2] ?? ''
if (!isServerName(name)) {
  process.stderr.write(`usage: node test/services/start.ts ${Object.keys(SERVERS).join(' | ')}\n`)
  process.exit(2)
}
const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
const server = await SERVERS[name]()
process.stdout.write(`${server.lines.join('\n')}\nready; Ctrl-C ends it\n`)
// Nothing else keeps the process alive where every server is a process of its own.
const alive = setInterval(() => undefined, 60_000)
await stopped
clearInterval(alive)
await server[Symbol.asyncDispose]()
