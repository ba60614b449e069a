// Pure: where a side of a pair is, in words that carry no secret and are the same for the same place.
import { isIPv6 } from 'node:net'
import type { SideConfig } from './db-schema.ts'
import { normaliseAddress } from './rule-parts.ts'

const CQL_PORT = 9042
const CONTACT_POINT = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?))(?::(?<port>\d{1,5}))?$/i

export interface ContactPoint {
  /** Without brackets. */
  readonly host: string
  readonly port: number
}

/** `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT` or a bare IPv6 address; undefined for anything else. */
export function parseContactPoint(text: string): ContactPoint | undefined {
  if (isIPv6(text)) return { host: text.toLowerCase(), port: CQL_PORT }
  const { v6, name, port = String(CQL_PORT) } = CONTACT_POINT.exec(text)?.groups ?? {}
  const host = v6 === undefined ? name : isIPv6(v6) ? v6 : undefined
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined
  return { host: host.toLowerCase(), port: Number(port) }
}

/** A contact point as it is written, with its port. */
export const formatContactPoint = ({ host, port }: ContactPoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Kind and address, `cassandra 127.0.0.1:9042/app`: contact points in order, the same for every way to write them. */
export function describeSide(side: SideConfig): string {
  switch (side.kind) {
    case 'cassandra':
      return `cassandra ${pointsOf(side).join(',')}/${side.keyspace}`
    case 'elasticsearch':
      return `elasticsearch ${normaliseAddress(side.url)}/${side.index}`
    case 'sqlite':
      return `sqlite ${side.path}`
  }
}

/** Whether both are the same tables of the same store, as far as their addresses tell. */
export function isSameSide(a: SideConfig, b: SideConfig): boolean {
  if (a.kind !== 'cassandra' || b.kind !== 'cassandra') return describeSide(a) === describeSide(b)
  const points = pointsOf(b)
  return a.keyspace === b.keyspace && pointsOf(a).some((point) => points.includes(point))
}

function pointsOf({ contactPoints }: Extract<SideConfig, { kind: 'cassandra' }>): string[] {
  const points = contactPoints.map((text) => {
    const point = parseContactPoint(text)
    return point === undefined ? text : formatContactPoint(point)
  })
  return [...new Set(points)].sort()
}
