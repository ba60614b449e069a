// Why a request got no answer, in words. Pure.

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer ended in its middle',
  ENOTFOUND: 'the host is unknown',
  EAI_AGAIN: 'the host cannot be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no connection in time',
  UND_ERR_INVALID_ARG: 'the request cannot be sent',
  UND_ERR_HEADERS_OVERFLOW: 'the head of the answer is too long',
}

/** In a few words, without anything that the other side has said. */
export function describeFailure(error: unknown): string {
  const code = codeOf(error)
  if (code === undefined) return 'the request failed'
  if (code === 'CONNECT_TIMEOUT' && error instanceof Error) return error.message
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`
  return WORDS[code] ?? `the request failed (${code})`
}

/** Of several tries, as of the addresses of a host, the last one counts. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return error instanceof AggregateError ? codeOf(error.errors.at(-1)) : codeOf(error.cause)
}
