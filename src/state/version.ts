// Pure: which versions of the tables this program understands.
import { StateUnusable } from './store.ts'

/** Throws StateUnusable for what a newer version of the program has written: this one would misread it. `store`: what messages call it. */
export function requireKnownVersion(store: string, version: number, known: number): void {
  if (version <= known) return
  throw new StateUnusable(
    `${store}: is of version ${version}, and this program knows up to ${known}: run the newer one`,
  )
}
