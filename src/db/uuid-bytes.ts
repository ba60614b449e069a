// Uuids between 16 bytes and text, at the speed of scans: two a row. Pure.
import { ValueError } from './values.ts'

/** Character codes of the 16 digits. */
const DIGIT = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** What a character code is worth as a digit, with a bit that says that it is upper case; 0xff is no digit. */
const WORTH = new Uint8Array(0x10000).fill(0xff)
const UPPER_CASE = 0x20
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  WORTH[digit.toUpperCase().charCodeAt(0)] = value | UPPER_CASE
  WORTH[digit.charCodeAt(0)] = value
}
const DASH = 0x2d
/** Where the text has the two digits of each byte. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

/** The text of the 16 bytes at `at`, in lower case. One call of fromCharCode is twice as fast as joining texts of two digits. */
export function formatUuid(bytes: Uint8Array, at = 0): string {
  const upper = (offset: number) => DIGIT[(bytes[at + offset] ?? 0) >> 4] ?? 0
  const lower = (offset: number) => DIGIT[(bytes[at + offset] ?? 0) & 15] ?? 0
  // biome-ignore format: a uuid as it is read
  return String.fromCharCode(
    upper(0), lower(0), upper(1), lower(1), upper(2), lower(2), upper(3), lower(3), DASH,
    upper(4), lower(4), upper(5), lower(5), DASH, upper(6), lower(6), upper(7), lower(7), DASH,
    upper(8), lower(8), upper(9), lower(9), DASH,
    upper(10), lower(10), upper(11), lower(11), upper(12), lower(12),
    upper(13), lower(13), upper(14), lower(14), upper(15), lower(15),
  )
}

/** Writes the 16 bytes of a text in either case at `at`. Throws ValueError for what is no uuid. */
export function writeUuid(text: string, bytes: Uint8Array, at = 0): void {
  if (!tryWriteUuid(text, bytes, at)) throw new ValueError('no uuid')
}

/** As writeUuid; false for what is no uuid, of which some bytes may be written then. */
export function tryWriteUuid(text: string, bytes: Uint8Array, at = 0): boolean {
  return (writeDigits(text, bytes, at) & ~UPPER_CASE) === 0
}

/** As tryWriteUuid; false for a uuid in upper case as well. */
export function tryWriteLowerUuid(text: string, bytes: Uint8Array, at = 0): boolean {
  return writeDigits(text, bytes, at) === 0
}

/** 0 for a uuid in lower case, UPPER_CASE for another one, and anything else for what is none. */
function writeDigits(text: string, bytes: Uint8Array, at: number): number {
  let wrong = text.length === 36 ? 0 : 0xff
  for (let byte = 0; byte < 16; byte++) {
    const place = PLACES[byte] ?? 0
    const upper = WORTH[text.charCodeAt(place)] ?? 0xff
    const lower = WORTH[text.charCodeAt(place + 1)] ?? 0xff
    wrong |= upper | lower
    bytes[at + byte] = ((upper & 15) << 4) | (lower & 15)
  }
  const dashes =
    text.charCodeAt(8) === DASH &&
    text.charCodeAt(13) === DASH &&
    text.charCodeAt(18) === DASH &&
    text.charCodeAt(23) === DASH
  return dashes ? wrong & 0xf0 : 0xff
}
