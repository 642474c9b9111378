import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../protocol/json.ts'
import { MAX_HEAD, MAX_PAYLOAD, NO_BYTES } from '../port.ts'
import { decodeFrame, encodeFrame, type Frame, type FrameType, type Pieces } from './framing.ts'

const TYPES = ['request', 'answer', 'notification', 'challenge'] as const satisfies readonly FrameType[]

/** What JSON text can hold: an object, as it is after one round through it. */
const head = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
  .map((fields): JsonObject => JSON.parse(JSON.stringify(fields)) as JsonObject) // JSON.parse makes nothing but Json
const payload = fc.oneof(
  fc.uint8Array(),
  fc.integer({ min: 16_000, max: 17_000 }).map((size) => new Uint8Array(size).fill(7)),
)
const frame: fc.Arbitrary<Frame> = fc.record({ type: fc.constantFrom(...TYPES), id: fc.nat(0xffffffff), head, payload })

const encoded = (from: Frame): Pieces => {
  const pieces = encodeFrame(from)
  if (E.isLeft(pieces)) throw new Error(pieces.left)
  return pieces.right
}

const plainly = ({ type, id, head: fields, payload: bytes }: Frame): unknown => ({
  type,
  id,
  fields,
  bytes: Buffer.from(bytes).toString('hex'),
})

const cutAt = (bytes: Buffer, cuts: readonly number[]): Pieces => {
  const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point))
}

describe('framing', () => {
  it('gives back what it was given, however the bytes were cut into pieces', () => {
    fc.assert(
      fc.property(frame, fc.array(fc.nat(), { maxLength: 5 }), (given, cuts) => {
        const pieces = encoded(given)
        for (const form of [pieces, cutAt(Buffer.concat(pieces), cuts)]) {
          expect(E.map(plainly)(decodeFrame(form))).toEqual(E.right(plainly(given)))
        }
      }),
    )
  })

  it('never throws, whatever the bytes are, and says why they are no frame', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(frame, fc.nat(), fc.nat(255)).map(([given, at, byte]) => {
        const whole = Buffer.concat(encoded(given))
        whole[at % whole.length] = byte
        return whole
      }),
    )
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 3 }), (given, cuts) => {
        const decoded = decodeFrame(cutAt(Buffer.from(given), cuts))
        if (E.isLeft(decoded)) expect(decoded.left.reason).toMatch(/^The .*\.?$/s)
        else expect(TYPES).toContain(decoded.right.type)
      }),
      { numRuns: 2000 },
    )
  })

  it('copies no large payload, neither way', () => {
    const bytes = new Uint8Array(100_000)
    const pieces = encoded({ type: 'request', id: 1, head: {}, payload: bytes })
    expect(pieces[1]).toBe(bytes)
    const decoded = decodeFrame(pieces)
    expect(E.isRight(decoded) && decoded.right.payload).toBe(bytes)
    const whole = Buffer.concat(pieces)
    const again = decodeFrame([whole])
    expect(E.isRight(again) && again.right.payload.buffer).toBe(whole.buffer)
  })

  it('tells the id of what it refuses, where there is one', () => {
    const short = decodeFrame([Buffer.alloc(8)])
    expect(short).toMatchObject({ left: { id: undefined, code: 'format' } })
    const whole = Buffer.concat(encoded({ type: 'request', id: 0xfffffffe, head: {}, payload: NO_BYTES }))
    whole[0] = 0
    expect(decodeFrame([whole])).toMatchObject({ left: { id: 0xfffffffe, code: 'format' } })
  })

  it('holds to its limits, both ways', () => {
    const long = (size: number): JsonObject => ({ a: 'x'.repeat(size - 8) })
    const of = (fields: JsonObject, size: number): Frame => ({ type: 'answer', id: 1, head: fields, payload: new Uint8Array(size) })
    expect(E.isRight(decodeFrame(encoded(of(long(MAX_HEAD), MAX_PAYLOAD))))).toBe(true)
    expect(E.isLeft(encodeFrame(of(long(MAX_HEAD + 1), 0)))).toBe(true)
    expect(E.isLeft(encodeFrame(of({}, MAX_PAYLOAD + 1)))).toBe(true)
    const within = Buffer.concat(encoded(of({}, MAX_PAYLOAD)))
    expect(decodeFrame([within, Buffer.alloc(1)])).toMatchObject({ left: { id: 1, code: 'tooLarge' } })
    const headOf = Buffer.from(within)
    headOf.writeUInt32BE(MAX_HEAD + 1, 5)
    expect(decodeFrame([headOf])).toMatchObject({ left: { id: 1, code: 'tooLarge' } })
  })
})
