// A buffer that grows, for values and frames of the native protocol: numbers big-endian, lengths patched in afterwards. Pure.

const LEAST_CAPACITY = 1_024
/** Characters from which room for the most that there can be is too much. */
const LONG_TEXT = 65_536

export class ByteWriter {
  #bytes: Buffer
  #length = 0

  /** `capacity`: bytes to begin with. */
  constructor(capacity = LEAST_CAPACITY) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** What was written since the last reset: a view, which the next write after a reset overwrites. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of what was written from `start` on. */
  copy(start = 0): Buffer {
    return Buffer.from(this.#bytes.subarray(start, this.#length))
  }

  /** Forgets what was written, from `length` on, and keeps the memory. */
  reset(length = 0): void {
    this.#length = Math.min(this.#length, length)
  }

  writeUint8(value: number): void {
    const at = this.#grow(1)
    this.#bytes[at] = value
  }

  writeInt16(value: number): void {
    const at = this.#grow(2)
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
  }

  writeInt32(value: number): void {
    const at = this.#grow(4)
    this.#bytes.writeInt32BE(value, at)
  }

  /** The lower 64 bits of it. */
  writeInt64(value: bigint): void {
    const at = this.#grow(8)
    this.#bytes.writeBigInt64BE(BigInt.asIntN(64, value), at)
  }

  /** 64 bits of a safe integer, without a bigint. */
  writeSafeInt64(value: number): void {
    const at = this.#grow(8)
    this.#bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at)
    this.#bytes.writeUInt32BE(value >>> 0, at + 4)
  }

  writeFloat(value: number): void {
    const at = this.#grow(4)
    this.#bytes.writeFloatBE(value, at)
  }

  writeDouble(value: number): void {
    const at = this.#grow(8)
    this.#bytes.writeDoubleBE(value, at)
  }

  writeBytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** As writeBytes, of a part: without a view of it. */
  writePart(bytes: Buffer, start: number, end: number): void {
    const at = this.#grow(end - start)
    bytes.copy(this.#bytes, at, start, end)
  }

  writeUtf8(text: string): void {
    // Three bytes a UTF-16 unit are the most there can be; counting first reads the text twice, which pays off where it is long.
    const most = text.length < LONG_TEXT ? text.length * 3 : Buffer.byteLength(text)
    const at = this.#grow(most)
    this.#length = at + this.#bytes.write(text, at, most, 'utf8')
  }

  /** Room for `length` bytes: `fill` writes all of them into the buffer, from the place that it is given. */
  fill(length: number, fill: (bytes: Buffer, at: number) => void): void {
    const at = this.#grow(length)
    fill(this.#bytes, at)
  }

  /** Four bytes for a length that endLength writes; gives what endLength takes. */
  beginLength(): number {
    this.#grow(4)
    return this.#length
  }

  /** The length of what was written since beginLength gave `start`. */
  endLength(start: number): void {
    this.#bytes.writeInt32BE(this.#length - start, start - 4)
  }

  #grow(more: number): number {
    const at = this.#length
    const needed = at + more
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2, LEAST_CAPACITY))
      this.#bytes.copy(grown, 0, 0, at)
      this.#bytes = grown
    }
    this.#length = needed
    return at
  }
}
