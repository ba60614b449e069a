// The keys of an OpenID Connect issuer, kept fresh: fetched when first needed, again when they are old or a token names one that is
// not there. An issuer that is away does no harm while its keys are known: they are used up to a day.
//   keys     unknown key    age          then
//   none     –              –            fetch and wait; after a failure not for another second
//   known    no             > 10 min     use them, fetch meanwhile
//   known    yes            –            fetch and wait, at most every 30 s
import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from 'jose'
import { isLoopback } from '../../config/rules.ts'
import type { Clock } from '../../lib/clock.ts'
import { withDeadline } from '../../lib/with-deadline.ts'

export const KEYS_REFRESH_MS = 600_000
export const KEYS_MAX_AGE_MS = 86_400_000
export const COOL_DOWN_MS = 30_000
export const RETRY_PAUSE_MS = 1_000
export const FETCH_TIMEOUT_MS = 5_000

/** GETs a JSON document; rejects on any answer but 200. */
export type FetchJson = (url: string, signal: AbortSignal) => Promise<unknown>

/** The issuer's keys are needed and cannot be had. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable'
}

export interface IssuerKeysOptions {
  readonly issuer: string
  readonly jwksUri?: string | undefined
  readonly clock: Clock
  readonly fetchJson: FetchJson
}

export class IssuerKeys implements AsyncDisposable {
  readonly #options: IssuerKeysOptions
  readonly #closing = new AbortController()
  #keys: LocalJWKSet | undefined
  #text = ''
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #problem: string | undefined
  #fetching: Promise<void> | undefined

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /** The keys known now, another object after every change: what was concluded from older ones no longer holds. */
  get known(): LocalJWKSet | undefined {
    return this.#keys
  }

  /** The keys, at most a day old. Throws IssuerUnavailable when there are none. */
  async current(): Promise<LocalJWKSet> {
    const now = this.#options.clock.now()
    const age = now - this.#fetchedAt
    if (this.#keys === undefined || age > KEYS_MAX_AGE_MS) {
      if (this.#fetching !== undefined || now - this.#triedAt >= RETRY_PAUSE_MS) await this.#fetch()
      if (this.#keys === undefined || this.#problem !== undefined) throw this.#unavailable()
    } else if (age > KEYS_REFRESH_MS && now - this.#triedAt >= COOL_DOWN_MS) {
      void this.#fetch()
    }
    return this.#keys
  }

  /**
   * Newer keys than `old`, after a token named one that is not among those; undefined when there are none (or it is too early to ask
   * again). Throws IssuerUnavailable when the issuer could not be asked: the key may be a new one.
   */
  async newer(old: LocalJWKSet): Promise<LocalJWKSet | undefined> {
    const mayAsk = this.#fetching !== undefined || this.#options.clock.now() - this.#triedAt >= COOL_DOWN_MS
    if (this.#keys === old && mayAsk) await this.#fetch()
    if (this.#keys !== old) return this.#keys
    if (this.#problem !== undefined) throw this.#unavailable()
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the service stops'))
    await this.#fetching
  }

  #unavailable(): IssuerUnavailable {
    return new IssuerUnavailable(`the keys of the issuer cannot be fetched: ${this.#problem ?? 'none are known'}`)
  }

  /** One fetch for all that wait. Never rejects: failures are kept as `#problem`. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #load(): Promise<void> {
    const { clock } = this.#options
    this.#triedAt = clock.now()
    try {
      const set = await withDeadline(clock, FETCH_TIMEOUT_MS, (signal) => this.#fetchSet(signal), this.#closing.signal)
      const text = JSON.stringify(set)
      if (text !== this.#text) {
        this.#keys = createLocalJWKSet(set)
        this.#text = text
      }
      this.#fetchedAt = clock.now()
      this.#problem = undefined
    } catch (error) {
      this.#problem = reasonOf(error)
    }
  }

  async #fetchSet(signal: AbortSignal): Promise<JSONWebKeySet> {
    const { jwksUri, fetchJson } = this.#options
    const uri = jwksUri ?? (await this.#discover(signal))
    const set = await fetchJson(uri, signal)
    if (!isKeySet(set)) throw new Error(`${uri} is no JSON Web Key Set`)
    return set
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  async #discover(signal: AbortSignal): Promise<string> {
    const { issuer, fetchJson } = this.#options
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const document = await fetchJson(address, signal)
    const { issuer: named, jwks_uri: uri } = isObject(document) ? document : {}
    if (named !== issuer) throw new Error(`${address} is the document of another issuer`)
    if (typeof uri !== 'string' || !URL.canParse(uri)) throw new Error(`${address} names no jwks_uri`)
    const { protocol, hostname } = new URL(uri)
    if (protocol !== 'https:' && !isLoopback(hostname)) throw new Error(`${address} names a jwks_uri that is not https`)
    return uri
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isKeySet = (value: unknown): value is JSONWebKeySet =>
  isObject(value) && Array.isArray(value['keys']) && value['keys'].every(isObject)

/** undici hides the reason in `cause`, and several of them behind an empty message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  return error.message !== '' ? error.message : 'code' in error ? String(error.code) : error.name
}
