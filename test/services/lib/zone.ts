// What a gateway needs of whatever spreads its tokens: the harness itself (file-zone.ts) or nginx with Lua (lua-zone.ts).
import type { Nginx } from './nginx.ts'
import type { Endpoint } from './replica-client.ts'
import type { Change, Lag } from './zone-sync.ts'

export interface ZoneMember extends Endpoint {
  readonly name: string
  readonly nginx: Nginx
}

export interface Zone {
  readonly modules: readonly 'lua'[]
  /** Configuration at the level of `http`. */
  http(folder: string): string
  /** Locations: the probe, and the store that a login writes to. `folder` is the replica's own. */
  locations(folder: string): string
  /** A started replica takes part from now on; it has everything when this resolves. */
  join(member: ZoneMember): Promise<void>
  leave(name: string): void
  change(member: ZoneMember, token: string, verb: 'put' | 'remove'): Promise<Change>
  plant(member: ZoneMember, token: string): Promise<void>
  setLag(name: string, lag: Lag): void
  nextTickAt(origin: string): number
  stop(): void
}

export const PROBE_PATH = '/_synced'
export const STORE_PATH = '/_store/'

/** nginx: takes the token from the cookie, else from the bearer, into `$token`; anything that is not a plain file name becomes empty. */
export const TOKEN_MAPS = `
  map $http_authorization $bearer { default ''; "~^Bearer (?<value>.+)$" $value; }
  map $cookie_auth_token $raw_token { '' $bearer; default $cookie_auth_token; }
  map $raw_token $token { default ''; "~^(?<name>[A-Za-z0-9_-]{1,200})$" $name; }
`

/** Throws when the token is not a plain file name of at most 200 characters: that is all that the test replicas can store. */
export function checkToken(token: string): string {
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(token))
    throw new Error('a test replica stores tokens of 1 to 200 letters, digits, _ and - only')
  return token
}
