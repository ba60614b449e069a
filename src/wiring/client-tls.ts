// TLS as a client, from the PEM files that a section names.
import type { FileRef } from '../config/schema.ts'
import { openFile } from '../config/secrets.ts'
import type { Clock } from '../lib/clock.ts'
import { createSecureContexts } from '../lib/secure-context.ts'

interface TlsConfig {
  readonly ca?: FileRef
  readonly cert?: FileRef
  readonly key?: FileRef
}

/** Gives the context for a new connection; files are read again when they change. Throws ConfigError when one cannot be used. */
export function openClientTls({ ca, cert, key }: TlsConfig, clock: Clock): ReturnType<typeof createSecureContexts> {
  const open = (ref: FileRef | undefined) => ref && openFile(ref, { clock })
  const [caFile, certFile, keyFile] = [open(ca), open(cert), open(key)]
  return createSecureContexts({
    ...(caFile && { ca: () => caFile.read() }),
    ...(certFile && { cert: () => certFile.read() }),
    ...(keyFile && { key: () => keyFile.read() }),
  })
}
