import { encodeRequest } from '../../../src/protocol/request.ts'
import { signInText, type Signer } from '../../../src/protocol/signing.ts'
import { OPCODES, RawPeer } from '../../support/raw-websocket.ts'

const PREFIX = 9

/** One frame of EventSync's with any bytes as its head; `claim`: the length that it tells of the head. */
export const frameOf = (
  head: string | Buffer,
  { type = 1, id = 1, claim = Buffer.byteLength(head), payload = Buffer.alloc(0) } = {},
): Buffer => {
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeUInt8(type, 0)
  prefix.writeUInt32BE(id, 1)
  prefix.writeUInt32BE(claim, 5)
  return Buffer.concat([prefix, Buffer.from(head), payload])
}

/** The fields of a frame's head. */
export const headOf = (frame: Buffer): Readonly<Record<string, unknown>> => {
  const head: unknown = JSON.parse(frame.toString('utf8', PREFIX, PREFIX + frame.readUInt32BE(5)))
  // The gateway's heads are objects.
  return head as Readonly<Record<string, unknown>>
}

/** A connection to a gateway's port that has been challenged; what it sends is made byte by byte. */
export const rawClient = async (port: number): Promise<{ readonly peer: RawPeer; readonly nonce: string }> => {
  const peer = new RawPeer(port, { 'Sec-WebSocket-Protocol': 'eventsync.1' })
  const { Nonce: nonce } = headOf((await peer.next()).data)
  return { peer, nonce: String(nonce) }
}

/** Sends one frame, and gives the head of the answer. */
export const exchange = async (peer: RawPeer, frame: Buffer): Promise<Readonly<Record<string, unknown>>> => {
  peer.send(OPCODES.binary, frame)
  for (;;) {
    const { opcode, data } = await peer.next()
    if (opcode === OPCODES.close) return { closed: data.length >= 2 ? data.readUInt16BE(0) : 0, reason: data.toString('utf8', 2) }
    if (data.readUInt8(0) === 2) return headOf(data)
  }
}

/** The same, signed in. */
export const signedRawClient = async (port: number, { key, sign }: Signer): Promise<RawPeer> => {
  const { peer, nonce } = await rawClient(port)
  const request = encodeRequest({ tag: 'SignIn', key, nonce, signature: sign(signInText(nonce, key)) }, 1)
  const { Status: status } = await exchange(peer, frameOf(JSON.stringify(request)))
  if (status !== 200) throw new Error(`not signed in: ${String(status)}`)
  return peer
}
