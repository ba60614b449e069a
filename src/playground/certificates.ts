// The playground's own certificate authority, made anew at every start and never written down: nothing secret is shipped.
// Pure JavaScript and WebCrypto, because a user's machine need not have an openssl command.
import 'reflect-metadata'
import { KeyObject, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface LeafRequest {
  /** Common name of the subject. */
  readonly commonName: string
  /** Host names of `subjectAltName`. */
  readonly hostNames?: readonly string[]
  /** IP addresses of `subjectAltName`. */
  readonly addresses?: readonly string[]
  /** What the certificate is for. */
  readonly usage?: 'server' | 'client'
  /** When it ends; with its authority when left out. A moment in the past gives an expired certificate. */
  readonly notAfter?: Date
}

/** A certificate authority that lives in memory. */
export interface CertificateAuthority {
  /** Its own certificate, PEM: what clients trust. */
  readonly cert: string
  /** Issues a certificate with a key of its own. */
  issue(request: LeafRequest): Promise<KeyPair>
}

const HOUR_MS = 3_600_000
const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Makes an authority that is valid from an hour ago (clocks differ) for `validMs` milliseconds, seven days when left out. */
export async function createCertificateAuthority(
  commonName: string,
  wallNowMs: number,
  validMs = 7 * 24 * HOUR_MS,
): Promise<CertificateAuthority> {
  const notBefore = new Date(wallNowMs - HOUR_MS)
  const notAfter = new Date(wallNowMs + validMs)
  const keys = await createKeys()
  const authority = await X509CertificateGenerator.createSelfSigned({
    serialNumber: createSerial(),
    name: `CN=${commonName}`,
    notBefore,
    notAfter,
    signingAlgorithm: SIGNING,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    cert: `${authority.toString('pem')}\n`,
    issue: (request) => issue(authority, keys, { notBefore, notAfter, ...request }),
  }
}

async function issue(
  authority: X509Certificate,
  authorityKeys: webcrypto.CryptoKeyPair,
  request: LeafRequest & { readonly notBefore: Date; readonly notAfter: Date },
): Promise<KeyPair> {
  const keys = await createKeys()
  const names = [
    ...(request.hostNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const leaf = await X509CertificateGenerator.create({
    serialNumber: createSerial(),
    subject: `CN=${request.commonName}`,
    issuer: authority.subject,
    notBefore:
      request.notBefore < request.notAfter ? request.notBefore : new Date(request.notAfter.getTime() - HOUR_MS),
    notAfter: request.notAfter,
    signingAlgorithm: SIGNING,
    signingKey: authorityKeys.privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([
        request.usage === 'client' ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth,
      ]),
      ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority),
    ],
  })
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return { cert: `${leaf.toString('pem')}\n`, key: key.toString() }
}

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(SIGNING, true, ['sign', 'verify'])
}

/** Sixteen random bytes in hex; the first bit is clear, so that the number is positive. */
function createSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x01
  return Buffer.from(bytes).toString('hex')
}
