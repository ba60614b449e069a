// Where a cluster is reached: `host`, `host:port`, `[address]:port`. Pure.
import { isIPv6 } from 'node:net'

export interface ContactPoint {
  readonly host: string
  readonly port: number
}

const DEFAULT_PORT = 9_042

/** Throws RangeError for what is none, with what is allowed. */
export function parseContactPoint(text: string): ContactPoint {
  if (isIPv6(text)) return { host: text, port: DEFAULT_PORT }
  const match = /^(?:\[([^\]]+)\]|([^\s:[\]/@]+))(?::(\d{1,5}))?$/.exec(text)
  const [, address, name, digits] = match ?? []
  const host = address ?? name
  const port = digits === undefined ? DEFAULT_PORT : Number(digits)
  if (host === undefined || (address !== undefined && !isIPv6(address)) || port < 1 || port > 65_535)
    throw new RangeError(
      `contact point ${JSON.stringify(text)} is none; allowed are host, host:port and [address]:port`,
    )
  return { host, port }
}

/** As users write it, with its port. */
function formatContactPoint({ host, port }: ContactPoint): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/** All of them, for messages. */
export function formatContactPoints(points: readonly ContactPoint[]): string {
  return points.map(formatContactPoint).join(',')
}
