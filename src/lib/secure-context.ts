// What TLS needs towards a server: made once, and again when one of the files has changed.
import tls from 'node:tls'

/** PEM texts, read at each new connection; what is left out is Node.js's own choice. */
export interface TlsFiles {
  readonly ca?: () => string
  readonly cert?: () => string
  readonly key?: () => string
}

/** Gives the context for a new connection. Throws what reading or parsing throws; the next call tries again. */
export function createSecureContexts(files: TlsFiles): () => tls.SecureContext {
  let made: { readonly of: string; readonly context: tls.SecureContext } | undefined
  return () => {
    const pem = { ca: files.ca?.(), cert: files.cert?.(), key: files.key?.() }
    const of = JSON.stringify(pem)
    // Parsing the authorities takes milliseconds, and many connections are often made at once.
    if (made?.of !== of) made = { of, context: tls.createSecureContext(given(pem)) }
    return made.context
  }
}

function given(pem: { readonly [Name in keyof TlsFiles]: string | undefined }): tls.SecureContextOptions {
  return Object.fromEntries(Object.entries(pem).filter(([, text]) => text !== undefined))
}
