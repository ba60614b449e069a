// What is elected for, or locked: a name within a scope within a namespace, and the names of its Leases.
import { InvalidResource } from './errors.ts'

export const DEFAULT_SCOPE = 'unscoped'
export const DEFAULT_NAME = 'master'

export interface ResourceParts {
  /** Left out: the namespace of the driver. */
  readonly namespace?: string | undefined
  /** The service that the name belongs to; `unscoped` when left out or empty. */
  readonly scope?: string | undefined
  /** `master` when left out or empty. */
  readonly name?: string | undefined
}

/** RFC 1123, as Kubernetes checks it. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const MAX_SUBDOMAIN = 253
const MAX_LABEL = 63

export class Resource {
  readonly namespace: string | undefined
  readonly scope: string
  readonly name: string

  /** Scope and name are lower-cased, and what is neither letter nor digit becomes `-`. Nothing is refused before `validate()`. */
  constructor(parts: ResourceParts) {
    this.namespace = parts.namespace || undefined
    this.scope = toName(parts.scope || DEFAULT_SCOPE)
    this.name = toName(parts.name || DEFAULT_NAME)
  }

  /** Reads `name`, `scope/name` or `namespace/scope/name`. Throws InvalidResource when there are more parts. */
  static parse(text: string): Resource {
    const parts = text.split('/')
    if (parts.length > 3)
      throw new InvalidResource(`${JSON.stringify(text)} has more than the three parts of namespace/scope/name`)
    const [name, scope, namespace] = parts.reverse()
    return new Resource({ namespace, scope, name })
  }

  /** `scope/name`, or `namespace/scope/name`. */
  toString(): string {
    return [...(this.namespace === undefined ? [] : [this.namespace]), this.scope, this.name].join('/')
  }

  equals(other: Resource): boolean {
    return this.namespace === other.namespace && this.scope === other.scope && this.name === other.name
  }

  /** Throws InvalidResource, with what is allowed, when Kubernetes would refuse one of the names. */
  validate(): void {
    const { namespace, electionName } = this
    if (namespace !== undefined && (namespace.length > MAX_LABEL || !LABEL.test(namespace)))
      throw new InvalidResource(
        `the namespace ${quote(namespace)} is not a name of Kubernetes: up to ${MAX_LABEL} of a-z, 0-9 and -, with a letter or digit at both ends`,
      )
    // The name for an election is the longer one: what it may be, the lock's may be too.
    if (electionName.length > MAX_SUBDOMAIN)
      throw new InvalidResource(
        `scope and name make a Lease name of ${electionName.length} characters, ${quote(electionName)}; ${MAX_SUBDOMAIN} are allowed`,
      )
    if (!SUBDOMAIN.test(electionName))
      throw new InvalidResource(
        `scope ${quote(this.scope)} and name ${quote(this.name)} must begin and end with a letter or digit`,
      )
  }

  /** Name of the Lease of its election. */
  get electionName(): string {
    return `${this.scope}.election.${this.name}`
  }

  /** Name of the Lease of its lock. */
  get lockName(): string {
    return `${this.scope}.lock.${this.name}`
  }
}

function toName(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
}

function quote(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 79)}…`)
}
