// Certificates of the test gateways: one authority, one leaf that carries a name but no address, and leaves that must be refused.
import { makeCa } from '../../lib/certificates.ts'

/** The name that the gateway's certificate carries; probes send it as SNI. */
export const GATEWAY_NAME = 'gw.test'

const DAY_MS = 86_400_000

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface TestTls {
  /** PEM of the authority that clients are to trust. */
  readonly ca: string
  /** What a good replica shows. */
  readonly leaf: KeyPair
  /** What must be refused. */
  readonly flawed: {
    /** The right name, signed by an authority that nobody trusts. */
    readonly otherAuthority: KeyPair
    /** The right authority, another name. */
    readonly otherName: KeyPair
    /** The right authority and name, ended yesterday. */
    readonly expired: KeyPair
  }
}

/** Makes an authority and its certificates (P-256), valid for a few days. */
export async function createTestTls(): Promise<TestTls> {
  const ca = await makeCa()
  const stranger = await makeCa('Another CA')
  const [leaf, otherAuthority, otherName, expired] = await Promise.all([
    ca.issue({ names: [GATEWAY_NAME] }),
    stranger.issue({ names: [GATEWAY_NAME] }),
    ca.issue({ names: ['other.test'] }),
    ca.issue({ names: [GATEWAY_NAME], notAfter: new Date(Date.now() - DAY_MS) }),
  ])
  return { ca: ca.cert, leaf, flawed: { otherAuthority, otherName, expired } }
}
