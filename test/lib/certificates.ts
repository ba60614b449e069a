// Certificates for TLS servers and clients of tests: one authority per test file is made once and shared.
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type KeyPair,
} from '../../src/playground/certificates.ts'

export interface IssueRequest {
  /** Host names the certificate is for. */
  readonly names?: readonly string[]
  /** IP addresses the certificate is for. */
  readonly ips?: readonly string[]
  readonly usage?: 'server' | 'client'
  /** A moment in the past gives an expired certificate. */
  readonly notAfter?: Date
}

export interface TestCa {
  /** The authority's own certificate, PEM: what the other side trusts. */
  readonly cert: string
  /** A certificate and its key, PEM. */
  issue(request: IssueRequest): Promise<KeyPair>
}

const made = new Map<string, Promise<TestCa>>()

/** The authority of that name; asked for again it is the same one. Two names are two authorities that do not trust each other. */
export function makeCa(name = 'Test CA'): Promise<TestCa> {
  const known = made.get(name) ?? createCertificateAuthority(name, Date.now()).then(wrap)
  made.set(name, known)
  return known
}

function wrap(authority: CertificateAuthority): TestCa {
  return {
    cert: authority.cert,
    issue: ({ names = [], ips = [], ...rest }) =>
      authority.issue({ commonName: names[0] ?? ips[0] ?? 'nobody', hostNames: names, addresses: ips, ...rest }),
  }
}
