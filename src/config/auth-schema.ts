// The section `auth`: who may call, in four modes.
import { type Static, Type } from 'typebox'
import { type DeepReadonly, Milliseconds, PemFile, strict } from './schema-parts.ts'

export const SCOPES = ['synced', 'read', 'tokens', 'db'] as const
const ScopesSchema = Type.Array(Type.Enum(SCOPES), {
  minItems: 1,
  maxItems: 4,
  uniqueItems: true,
  description: 'What the caller may do.',
})

const OpenSchema = Type.Array(Type.Enum(['metrics', 'ui']), {
  uniqueItems: true,
  maxItems: 2,
  default: [],
  description:
    'What needs no credentials: `metrics` is /metrics, `ui` is the API document, Swagger UI and the files of the status page, which asks for credentials itself.',
})

const SubjectGrantSchema = strict({
  users: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
      minItems: 1,
      maxItems: 1000,
      description: 'User names that this grant is for.',
    }),
  ),
  groups: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
      minItems: 1,
      maxItems: 1000,
      description: 'Group names that this grant is for.',
    }),
  ),
  scopes: ScopesSchema,
})

export const AuthSchema = Type.Union(
  [
    strict({ mode: Type.Literal('none', { description: 'Everybody may do everything.' }), open: OpenSchema }),
    strict({
      mode: Type.Literal('bearer', { description: 'Static bearer tokens, kept as SHA-256.' }),
      open: OpenSchema,
      callers: Type.Array(
        strict({
          name: Type.String({
            minLength: 1,
            maxLength: 128,
            pattern: '^[A-Za-z0-9._:-]+$',
            description: 'Name of the caller, as logs show it.',
          }),
          sha256: Type.String({
            pattern: '^[0-9a-f]{64}$',
            description: 'SHA-256 of the bearer token, 64 lower-case hex digits.',
          }),
          scopes: ScopesSchema,
        }),
        { minItems: 1, maxItems: 1000, description: 'Who may call, and what.' },
      ),
    }),
    strict({
      mode: Type.Literal('oidc', { description: 'JSON Web Tokens of an OpenID Connect issuer.' }),
      open: OpenSchema,
      issuer: Type.String({
        minLength: 1,
        maxLength: 2048,
        pattern: '^https?://',
        description: 'Issuer (`iss`); its discovery document names the key set unless `jwksUri` does.',
      }),
      audience: Type.String({ minLength: 1, maxLength: 512, description: 'Audience (`aud`) that a token must carry.' }),
      jwksUri: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 2048,
          pattern: '^https?://',
          description: 'Address of the JSON Web Key Set.',
        }),
      ),
      scopeClaim: Type.String({
        minLength: 1,
        maxLength: 128,
        default: 'scope',
        description: 'Claim that lists the scopes: a string separated by spaces, or an array.',
      }),
      scopePrefix: Type.String({
        maxLength: 128,
        default: '',
        description: 'What a scope starts with in that claim, for example `syncer:`.',
      }),
      ca: Type.Optional(
        PemFile('Authorities that may sign the issuer’s TLS certificate, in place of the well-known ones.'),
      ),
    }),
    strict({
      mode: Type.Literal('tokenReview', {
        description: 'ServiceAccount tokens, checked by the Kubernetes API server.',
      }),
      open: OpenSchema,
      audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        maxItems: 16,
        default: [],
        description: 'Audiences that a token must be for; empty is the API server itself.',
      }),
      cacheMs: Milliseconds(0, 300_000, 10_000, 'How long an answer of the API server is kept, in milliseconds.'),
      grants: Type.Array(SubjectGrantSchema, {
        minItems: 1,
        maxItems: 1000,
        description: 'Scopes by user name (`system:serviceaccount:NAMESPACE:NAME`) or group.',
      }),
    }),
  ],
  { description: 'Who may call.', default: { mode: 'none' } },
)

export type Scope = (typeof SCOPES)[number]
export type AuthConfig = DeepReadonly<Static<typeof AuthSchema>>
