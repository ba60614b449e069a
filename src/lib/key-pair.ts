// Pure: whether a certificate and a private key can be served with.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** PEM texts. */
export interface KeyPairMaterial {
  readonly cert: string
  readonly key: string
  /** Authorities of the other side. */
  readonly ca?: string | undefined
}

/** Why these cannot be used together, in one line without their content; undefined when they can. */
export function findKeyPairFault({ cert, key, ca }: KeyPairMaterial): string | undefined {
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(cert)
  } catch {
    return 'the certificate cannot be read'
  }
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return 'certificate and key do not belong together'
  } catch {
    return 'the private key cannot be read (an encrypted one cannot be used)'
  }
  try {
    createSecureContext({ cert, key, ...(ca !== undefined && { ca }) })
  } catch {
    return 'the certificates cannot all be read'
  }
  return undefined
}
