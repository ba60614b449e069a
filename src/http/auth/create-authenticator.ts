// From the section `auth` to the authenticator of its mode. What only one mode needs is loaded only for that mode.
import type { AuthConfig } from '../../config/schema.ts'
import { openFile } from '../../config/secrets.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Authenticator } from './authenticator.ts'
import { createBearerAuthenticator } from './bearer.ts'
import { createNoneAuthenticator } from './none.ts'
import type { ReviewToken } from './token-review.ts'

export interface AuthenticatorDependencies {
  readonly clock: Clock
  /** Mode `tokenReview` only: how the API server is asked. */
  readonly reviewToken?: ReviewToken | undefined
}

export type OwnedAuthenticator = Authenticator & AsyncDisposable

/** Throws ConfigError when a file of the section cannot be read. Nobody is asked yet: an issuer that is away does not stop the start. */
export async function createAuthenticator(
  auth: AuthConfig,
  dependencies: AuthenticatorDependencies,
): Promise<OwnedAuthenticator> {
  const { clock, reviewToken } = dependencies
  switch (auth.mode) {
    case 'none':
      return owned(createNoneAuthenticator())
    case 'bearer':
      return owned(createBearerAuthenticator(auth.callers))
    case 'oidc': {
      const [{ createOidcAuthenticator }, { createIssuerClient }] = await Promise.all([
        import('./oidc.ts'),
        import('./issuer-client.ts'),
      ])
      const ca = auth.ca === undefined ? undefined : openFile(auth.ca, { clock })
      const client = createIssuerClient(ca === undefined ? undefined : () => ca.read())
      const authenticator = createOidcAuthenticator(auth, { clock, fetchJson: client.fetchJson })
      return {
        mode: authenticator.mode,
        authenticate: authenticator.authenticate,
        async [Symbol.asyncDispose]() {
          await authenticator[Symbol.asyncDispose]()
          await client[Symbol.asyncDispose]()
        },
      }
    }
    case 'tokenReview': {
      if (reviewToken === undefined) throw new Error('auth.mode tokenReview needs a Kubernetes API server to ask')
      const { createTokenReviewAuthenticator } = await import('./token-review.ts')
      return createTokenReviewAuthenticator(auth, { clock, review: reviewToken })
    }
  }
}

const owned = (authenticator: Authenticator): OwnedAuthenticator => ({
  ...authenticator,
  async [Symbol.asyncDispose]() {},
})
