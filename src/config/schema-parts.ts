// What the schemas of all sections are made of: strict objects, bounded numbers, paths, references to secrets and PEM files.
import { type Static, type TObject, type TProperties, Type } from 'typebox'

/** An object that takes no other keys. */
export const strict = <T extends TProperties>(
  properties: T,
  options: { description?: string; default?: object } = {},
): TObject<T> => Type.Object(properties, { additionalProperties: false, ...options })

export const Milliseconds = (minimum: number, maximum: number, byDefault: number, description: string) =>
  Type.Integer({ minimum, maximum, default: byDefault, description })

/** A path; a relative one is taken from the folder of the configuration file. */
export const FilePath = (description: string, options: { contentMediaType?: string; default?: string } = {}) =>
  Type.String({ minLength: 1, maxLength: 4096, format: 'path', ...options, description })

export const Port = Type.Integer({ minimum: 1, maximum: 65535 })

/** A secret is named, never written down: the environment variable or the file that holds it. */
export const Secret = (description: string) =>
  Type.Union(
    [
      strict({
        env: Type.String({
          minLength: 1,
          maxLength: 256,
          pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
          description: 'Environment variable that holds it.',
        }),
      }),
      strict({ file: FilePath('File that holds it; re-read when it changes.') }),
    ],
    { description: `${description} An environment variable or a file, re-read when it changes.` },
  )

export const PemFile = (description: string) =>
  strict(
    { file: FilePath('Path of a PEM file.', { contentMediaType: 'application/x-pem-file' }) },
    { description: `${description} A PEM file, re-read when it changes.` },
  )

/** TLS as a client; the texts say towards whom. */
export const ClientTls = (texts: {
  readonly description: string
  readonly ca: string
  readonly cert: string
  readonly servername: string
}) =>
  strict(
    {
      ca: Type.Optional(PemFile(texts.ca)),
      cert: Type.Optional(PemFile(texts.cert)),
      key: Type.Optional(PemFile('Private key of the client certificate.')),
      servername: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: texts.servername })),
    },
    { description: texts.description },
  )

/** What a section is once it is loaded: nobody changes it. */
export type DeepReadonly<T> = T extends (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** A reference to a secret, as the configuration carries it. */
export type SecretRef = DeepReadonly<Static<ReturnType<typeof Secret>>>
/** A reference to a PEM file. */
export type FileRef = { readonly file: string }
