// What a Waiter cluster holds, and who may change it to what. Time is passed in, and there is no IO.
//
//   a live token has a version; a missing or soft-deleted one has none, and then any `if-match` is a mismatch
import type { Clock } from '../../lib/clock.ts'
import type { Description } from '../../tokens/contract.ts'
import { isDeleted } from '../../tokens/description.ts'
import { equalJson, isObject, JsonNumber, type JsonValue } from '../../tokens/json.ts'
import { findSchemaFault } from './schema.ts'
import { cutHistory, isServiceKey, isUserKey, versionOf } from './token-data.ts'

/** Who asks. */
export interface Caller {
  readonly name: string
  /** May administer tokens, and act for every other user. */
  readonly isAdmin: boolean
}

/** A token as it is kept: times in milliseconds. */
export interface KeptToken {
  readonly token: string
  readonly data: Description
  /** Undefined when it is soft-deleted. */
  readonly etag: string | undefined
}

export type Outcome =
  | {
      readonly status: 200
      readonly message: string
      readonly etag: string | undefined
      readonly service?: Description
    }
  | { readonly status: 400 | 403 | 404 | 412; readonly message: string }

export interface StoreRequest {
  readonly ifMatch: string | undefined
  readonly caller: Caller
}

/** Called after each change with the name of the token. */
export type ChangeListener = (token: string) => void

export class WaiterStore {
  readonly name: string
  readonly #clock: Clock
  readonly #tokens = new Map<string, KeptToken>()
  readonly #listeners = new Set<ChangeListener>()

  /** `name` is what tokens get as cluster and root when nothing else is said. */
  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
  }

  /** All tokens, soft-deleted ones too, in no order that means anything. */
  all(): IterableIterator<KeptToken> {
    return this.#tokens.values()
  }

  get(token: string): KeptToken | undefined {
    return this.#tokens.get(token)
  }

  /** Keeps this data as it is, without asking; undefined forgets the token. */
  put(token: string, data: Description | undefined): void {
    if (data === undefined) this.#tokens.delete(token)
    else this.#tokens.set(token, { token, data, etag: versionOf(data) })
    for (const listener of this.#listeners) listener(token)
  }

  watch(listener: ChangeListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  /** How many listen to it. */
  get watchers(): number {
    return this.#listeners.size
  }

  /** `POST /token`: `body` with the name under "token", `mode` as in `update-mode`. */
  post(body: Description, mode: string | undefined, { ifMatch, caller }: StoreRequest): Outcome {
    const token = body.get('token')
    const fault = findSchemaFault(token, body)
    if (typeof token !== 'string' || fault !== undefined) return refuse(400, fault ?? 'Must provide the token')
    const existing = this.#live(token)
    const refusal =
      mode === 'admin'
        ? refuseAsAdmin(existing, ifMatch, caller)
        : mode === undefined
          ? refuseAsUser(existing, body, caller)
          : refuse(400, 'Invalid update-mode')
    if (refusal !== undefined) return refusal
    const previous = body.get('previous')
    if (isTrue(previous) && !isObject(previous)) return refuse(400, 'Token previous must be a map')

    const data = this.#complete(body, existing?.data, caller)
    if (data === undefined) return refuse(400, 'Invalid date format for last-update-time string')
    const service = new Map([...data].filter(([key]) => isServiceKey(key)))
    if (mode === undefined && existing !== undefined && equalJson(editable(existing.data), editable(data))) {
      return { status: 200, message: `No changes detected for ${token}`, etag: existing.etag, service }
    }
    if (isStale(existing?.etag, ifMatch)) return refuse(412, 'Cannot modify stale token')
    this.put(token, cutHistory(isTrue(previous) ? data : withPrevious(data, existing?.data ?? new Map())))
    const message = `Successfully ${existing === undefined ? 'created' : 'updated'} ${token}`
    return { status: 200, message, etag: versionOf(data), service }
  }

  /** `DELETE /token`, with `hard-delete=true` when `hard`. */
  delete(token: string, hard: boolean, { ifMatch, caller }: StoreRequest): Outcome {
    const existing = hard ? this.#tokens.get(token) : this.#live(token)
    if (existing === undefined) return refuse(404, `Token ${token} does not exist`)
    if (hard) {
      if (!isDeleted(existing.data) && ifMatch === undefined) {
        return refuse(400, 'Must specify if-match header for token hard deletes')
      }
      if (!caller.isAdmin) return refuse(403, 'Cannot hard-delete token')
    } else if (!mayActAs(caller, existing.data.get('owner'))) {
      return refuse(403, 'User not allowed to delete token')
    }
    if (isStale(existing.etag, ifMatch)) return refuse(412, 'Cannot modify stale token')
    this.put(token, hard ? undefined : this.#tombstone(existing.data, caller))
    return { status: 200, message: `deleted ${token}`, etag: ifMatch }
  }

  #live(token: string): KeptToken | undefined {
    const kept = this.#tokens.get(token)
    return kept === undefined || isDeleted(kept.data) ? undefined : kept
  }

  /** The body with what the cluster adds; undefined when its time makes no sense. */
  #complete(body: Description, existing: Description | undefined, caller: Caller): Description | undefined {
    const data = new Map(body)
    data.delete('token')
    const time = data.get('last-update-time')
    if (typeof time === 'string') {
      const at = /^\d{4}-\d\d-\d\dT/.test(time) ? Date.parse(time) : Number.NaN
      if (Number.isNaN(at)) return undefined
      data.set('last-update-time', new JsonNumber(String(at)))
    }
    const owner = data.get('owner') ?? existing?.get('owner') ?? caller.name
    data.set('owner', owner)
    const added: [string, JsonValue][] = [
      ['cluster', this.name],
      ['last-update-time', this.#now()],
      ['last-update-user', caller.name],
      ['root', existing?.get('root') ?? this.name],
    ]
    for (const [key, value] of added) if (!data.has(key)) data.set(key, value)
    return data
  }

  #tombstone(data: Description, caller: Caller): Description {
    const tombstone = new Map(data)
    tombstone.set('deleted', true).set('last-update-time', this.#now()).set('last-update-user', caller.name)
    return cutHistory(withPrevious(tombstone, data))
  }

  #now(): JsonNumber {
    return new JsonNumber(String(Math.floor(this.#clock.wallNow())))
  }
}

const refuse = (status: 400 | 403 | 404 | 412, message: string): Outcome => ({ status, message })

const isTrue = (value: JsonValue | undefined): boolean => value !== undefined && value !== null && value !== false

const isStale = (etag: string | undefined, ifMatch: string | undefined): boolean =>
  ifMatch !== undefined && ifMatch !== (etag ?? '')

const mayActAs = (caller: Caller, user: JsonValue | undefined): boolean => caller.isAdmin || caller.name === user

const withPrevious = (data: Description, previous: Description): Description => new Map(data).set('previous', previous)

const editable = (data: Description): Description => new Map([...data].filter(([key]) => isUserKey(key)))

function refuseAsAdmin(existing: KeptToken | undefined, ifMatch: string | undefined, caller: Caller) {
  if (existing !== undefined && ifMatch === undefined) {
    return refuse(400, 'Must specify if-match header for admin mode token updates')
  }
  return caller.isAdmin ? undefined : refuse(403, 'Cannot administer token')
}

function refuseAsUser(existing: KeptToken | undefined, body: Description, caller: Caller) {
  const runAs = body.get('run-as-user')
  if (isTrue(runAs) && runAs !== '*' && !mayActAs(caller, runAs)) return refuse(403, 'Cannot run as user')
  if (existing === undefined) {
    if (!mayActAs(caller, body.get('owner') ?? caller.name)) return refuse(403, 'Cannot create token as user')
  } else if (!mayActAs(caller, existing.data.get('owner'))) {
    return refuse(403, 'Cannot update token')
  }
  const fixed = ['last-update-time', 'last-update-user', 'root', 'previous'].find((key) => body.has(key))
  return fixed === undefined ? undefined : refuse(400, `Cannot modify ${fixed} token metadata`)
}
