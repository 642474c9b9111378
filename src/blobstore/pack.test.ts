import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../protocol/hash.ts'
import { decodePack, encodePack } from './pack.ts'

const chunks = fc
  .array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 })
  .map((all) => all.map((bytes) => ({ bytes, hash: sha256(bytes) })))

describe('packs', () => {
  it('tell where their chunks lie, and are named by their hash', () => {
    fc.assert(
      fc.property(chunks, (given) => {
        const { hash, bytes: pack, entries } = encodePack(given)
        expect(sha256(pack)).toBe(hash)
        expect(decodePack(pack)).toEqual(E.right(entries))
        expect(entries.map(({ offset, size }) => sha256(pack.subarray(offset, offset + size)))).toEqual(given.map((chunk) => chunk.hash))
      }),
    )
  })

  it('never give places outside themselves, whatever their bytes are', () => {
    fc.assert(
      fc.property(chunks, fc.nat(), fc.nat(), fc.nat(255), (given, cut, at, value) => {
        const pack = encodePack(given).bytes
        pack[at % pack.length] = value
        const bytes = pack.subarray(cut % 3 === 0 ? cut % pack.length : 0)
        const entries = E.getOrElseW(() => [])(decodePack(bytes))
        expect(entries.every(({ offset, size }) => offset + size <= bytes.length)).toBe(true)
      }),
    )
  })

  it.each([
    ['nothing', Buffer.alloc(0), 'does not end as a pack'],
    ['another file', Buffer.alloc(100, 'x'), 'does not end as a pack'],
    ['a newer format', Buffer.concat([Buffer.alloc(8), Buffer.from('0000000000ff', 'hex'), Buffer.from('ESPEND')]), 'has format 255'],
    [
      'too many entries',
      Buffer.concat([Buffer.alloc(8), Buffer.from('ffffffff0001', 'hex'), Buffer.from('ESPEND')]),
      'longer than the pack',
    ],
  ])('are told apart from %s', (_, bytes, reason) => expect(decodePack(bytes)).toEqual(E.left(expect.stringContaining(reason))))
})
