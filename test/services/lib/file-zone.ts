// Tokens are empty files: core nginx looks for them (`-f`) and stores them (dav), and the harness copies them on the tick.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReplicaClient } from './replica-client.ts'
import { PROBE_PATH, STORE_PATH, TOKEN_MAPS, type Zone, type ZoneMember } from './zone.ts'
import { type TokenStore, ZoneSync } from './zone-sync.ts'

/** Creates the zone; `client` carries logins to their origin. */
export function createFileZone(tickMs: number, client: ReplicaClient): Zone {
  const sync = new ZoneSync(tickMs)
  const stores = new Map<string, TokenStore>()
  return {
    modules: [],
    http: () => TOKEN_MAPS,
    locations: (folder) => {
      mkdirSync(storePath(folder), { recursive: true })
      return `
    location = ${PROBE_PATH} {
      default_type text/plain;
      if (!-f ${storePath(folder)}/$token) { return 401; }
      return 200 "ok\\n";
    }
    location ${STORE_PATH} {
      alias ${storePath(folder)}/;
      dav_methods PUT DELETE;
    }`
    },
    join: async (member) => {
      const store = createFileStore(member)
      stores.set(member.name, store)
      sync.join(store)
    },
    leave: (name) => sync.leave(name),
    change: async (member, token, verb) => {
      const { status } = await client.send(verb === 'put' ? 'PUT' : 'DELETE', member, `${STORE_PATH}${token}`)
      if (status >= 300 && !(verb === 'remove' && status === 404))
        throw new Error(`${member.name} answered ${status} to a ${verb}`)
      return sync.announce(member.name, token, verb)
    },
    plant: async (member, token) => stores.get(member.name)?.put(token),
    setLag: (name, lag) => sync.setLag(name, lag),
    nextTickAt: (origin) => sync.nextTickAt(origin),
    stop: () => sync.stop(),
  }
}

function storePath(folder: string): string {
  return join(folder, 'tok')
}

function createFileStore({ name, nginx }: ZoneMember): TokenStore {
  const path = storePath(nginx.folder)
  return {
    name,
    put: (token) => writeFileSync(join(path, token), ''),
    remove: (token) => rmSync(join(path, token), { force: true }),
    tokens: () => readdirSync(path),
  }
}
