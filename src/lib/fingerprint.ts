// How a token appears in logs: the same one looks the same until the next start, and nothing leads back from it.
import { createHmac, createSecretKey } from 'node:crypto'

/** First 8 hex digits of the HMAC-SHA-256 of a text. */
export type Fingerprint = (text: string) => string

/** `key` is random and made at start, 32 bytes. */
export function createFingerprint(key: Uint8Array): Fingerprint {
  const secret = createSecretKey(key)
  return (text) => createHmac('sha256', secret).update(text).digest('hex').slice(0, 8)
}
