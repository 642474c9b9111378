import { generateKeyPairSync, sign } from 'node:crypto'

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? Buffer.from([body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), length, body])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts)
const oid = (...bytes: readonly number[]): Buffer => tlv(0x06, Buffer.from(bytes))
const time = (text: string): Buffer => tlv(0x18, Buffer.from(text))

const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const NAME = sequence(tlv(0x31, sequence(oid(0x55, 0x04, 0x03), tlv(0x0c, Buffer.from('localhost')))))
/** For the name localhost and the address 127.0.0.1. */
const ALTERNATIVE_NAMES = sequence(
  oid(0x55, 0x1d, 0x11),
  tlv(0x04, sequence(tlv(0x82, Buffer.from('localhost')), tlv(0x87, Buffer.from([127, 0, 0, 1])))),
)
const IS_AUTHORITY = sequence(oid(0x55, 0x1d, 0x13), tlv(0x04, sequence(tlv(0x01, Buffer.from([0xff])))))

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A new key, and a certificate for this machine's loopback address that it signed itself (PEM). */
export const selfSigned = (until = '21200101000000Z'): Certificate => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const version = tlv(0xa0, tlv(0x02, Buffer.from([2])))
  const serial = tlv(0x02, Buffer.from([1]))
  const validity = sequence(time('20200101000000Z'), time(until))
  const extensions = tlv(0xa3, sequence(ALTERNATIVE_NAMES, IS_AUTHORITY))
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const body = sequence(version, serial, ECDSA_WITH_SHA256, NAME, validity, NAME, spki, extensions)
  const signature = tlv(0x03, Buffer.from([0]), sign('sha256', body, privateKey))
  const der = sequence(body, ECDSA_WITH_SHA256, signature).toString('base64')
  const cert = `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** The same, of the past. */
export const expired = (): Certificate => selfSigned('20210101000000Z')
