import { connect, type Socket } from 'node:net'
import { onTestFinished, vi } from 'vitest'

export interface RawFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly data: Buffer
}

export const OPCODES = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** A client's frame with a mask of zeros; `claim`: the length that its header tells, where it lies. */
export const rawFrame = (opcode: number, data: Uint8Array, { fin = true, masked = true, claim = data.byteLength } = {}): Buffer => {
  const header = Buffer.alloc(10)
  header[0] = (fin ? 0x80 : 0) | opcode
  header[1] = (masked ? 0x80 : 0) | (claim < 126 ? claim : 127)
  header.writeBigUInt64BE(BigInt(claim), 2)
  return Buffer.concat([header.subarray(0, claim < 126 ? 2 : 10), Buffer.alloc(masked ? 4 : 0), data])
}

const lengthOf = (bytes: Buffer): { readonly start: number; readonly length: number } => {
  const short = bytes[1] ?? 0
  if (short < 126) return { start: 2, length: short }
  if (short === 126) return { start: 4, length: bytes.length < 4 ? 0 : bytes.readUInt16BE(2) }
  return { start: 10, length: bytes.length < 10 ? 0 : Number(bytes.readBigUInt64BE(2)) }
}

/** A WebSocket peer made of a bare TCP socket: it does what no library lets one do. */
export class RawPeer {
  readonly socket: Socket
  /** The answer to the handshake: status line and headers (and the body, where it was refused). */
  response = ''
  closed = false
  #chunks: Buffer[] = []
  /** So many bytes must be there before it is worth to look again. */
  #wanted = 2

  constructor(port: number, headers: Readonly<Record<string, string>> = {}, path = '/ws') {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const fields = { Host: `127.0.0.1:${port}`, Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', ...headers }
    const key = Buffer.alloc(16).toString('base64')
    const lines = Object.entries({ 'Sec-WebSocket-Key': key, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`)
    this.socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    this.socket.on('data', (bytes) => {
      this.#chunks.push(bytes)
      if (this.response === '') this.#shakeHands()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.closed = true
    })
    onTestFinished(() => void this.socket.destroy())
  }

  send(opcode: number, data: Uint8Array | string, options?: Parameters<typeof rawFrame>[2]): void {
    this.socket.write(rawFrame(opcode, Buffer.from(data), options))
  }

  /** The next message from the server, whole; or the frame that closes. Pings are passed over, and not answered. */
  async next(): Promise<RawFrame> {
    const fragments: RawFrame[] = []
    for (;;) {
      const frame = await vi.waitFor(() => this.#take(), { timeout: 8000, interval: 2 })
      if (frame.opcode === OPCODES.close) return frame
      if (frame.opcode > OPCODES.close) continue
      fragments.push(frame)
      if (frame.fin) return { opcode: fragments[0]!.opcode, fin: true, data: Buffer.concat(fragments.map(({ data }) => data)) }
    }
  }

  /** Skips what comes until the server says why it ends the connection. */
  async end(): Promise<{ readonly code: number; readonly reason: string }> {
    for (;;) {
      const { opcode, data } = await this.next()
      if (opcode === OPCODES.close) return { code: data.readUInt16BE(0), reason: data.toString('utf8', 2) }
    }
  }

  #shakeHands(): void {
    const bytes = Buffer.concat(this.#chunks)
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return
    const upgraded = bytes.toString('latin1').startsWith('HTTP/1.1 101')
    this.response = bytes.toString('latin1', 0, upgraded ? end : undefined)
    this.#chunks = [bytes.subarray(end + 4)]
  }

  #take(): RawFrame {
    const there = this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    if (this.response === '' || there < this.#wanted) throw new Error('no whole frame has come yet')
    const bytes = Buffer.concat(this.#chunks)
    const { start, length } = lengthOf(bytes)
    this.#chunks = [bytes]
    this.#wanted = start + length
    if (there < this.#wanted) throw new Error('no whole frame has come yet')
    this.#chunks = [bytes.subarray(start + length)]
    this.#wanted = 2
    const first = bytes[0] ?? 0
    return { opcode: first & 0x0f, fin: first >= 0x80, data: bytes.subarray(start, start + length) }
  }
}
