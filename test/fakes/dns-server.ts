// A DNS server of our own, over UDP on loopback: A, AAAA and SRV records, names that do not exist, failures and silence.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'

/** Of one name; a type that is left out has no record (NODATA). */
export interface Records {
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly srv?: readonly { readonly target: string; readonly port: number }[]
}

export type RecordType = 'A' | 'AAAA' | 'SRV'

const TYPES: Readonly<Record<number, RecordType>> = { 1: 'A', 28: 'AAAA', 33: 'SRV' }
const TTL_SECONDS = 3_600

export class FakeDns implements AsyncDisposable {
  readonly #socket: Socket
  /** A name that is not here does not exist (NXDOMAIN). */
  readonly names = new Map<string, Records>()
  readonly asked: string[] = []
  /** Decides, question by question, to fail or to say nothing. */
  fault: (name: string, type: RecordType) => 'servfail' | 'refused' | 'silent' | undefined = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message, from) => {
      const reply = this.#answer(message)
      if (reply !== undefined) socket.send(reply, from.port, from.address)
    })
  }

  static async start(): Promise<FakeDns> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new FakeDns(socket)
  }

  /** `address:port`. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #answer(message: Buffer): Buffer | undefined {
    const { name, end } = readName(message, 12)
    const type = TYPES[message.readUInt16BE(end)]
    if (type === undefined) throw new Error(`unexpected question about ${name}`)
    this.asked.push(`${type} ${name}`)
    const fault = this.fault(name, type)
    if (fault === 'silent') return undefined
    const records = this.names.get(name)
    const code = fault === 'servfail' ? 2 : fault === 'refused' ? 5 : records === undefined ? 3 : 0
    const answers = fault === undefined ? encode(name, type, records ?? {}) : []
    const header = Buffer.alloc(12)
    message.copy(header, 0, 0, 2)
    header.writeUInt16BE(0x8180 | code, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(answers.length, 6)
    return Buffer.concat([header, message.subarray(12, end + 4), ...answers])
  }
}

function encode(name: string, type: RecordType, { a = [], aaaa = [], srv = [] }: Records): Buffer[] {
  if (type === 'A') return a.map((address) => record(name, 1, Buffer.from(address.split('.').map(Number))))
  if (type === 'AAAA') return aaaa.map((address) => record(name, 28, encodeIPv6(address)))
  return srv.map(({ target, port }) => {
    const fixed = Buffer.alloc(6)
    fixed.writeUInt16BE(port, 4)
    return record(name, 33, Buffer.concat([fixed, writeName(target)]))
  })
}

function record(name: string, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(TTL_SECONDS, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([writeName(name), fixed, data])
}

function encodeIPv6(address: string): Buffer {
  if (isIPv4(address)) throw new Error(`${address} is no IPv6 address`)
  const [head = '', tail] = address.split('::')
  const groups = (text: string) =>
    text
      .split(':')
      .filter((group) => group !== '')
      .map((group) => Number.parseInt(group, 16))
  const [front, back] = [groups(head), groups(tail ?? '')]
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

function writeName(name: string): Buffer {
  const labels = name.replace(/\.$/, '').split('.')
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])])
}

function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = start
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}
