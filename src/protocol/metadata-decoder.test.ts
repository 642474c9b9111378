import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AccountId } from '../domain/events.ts'
import { decodeMetadata, encodeMetadata } from './event-codec.ts'
import { createMetadataDecoder } from './metadata-decoder.ts'

// 32 hex digits.
const account = 'b'.repeat(32) as AccountId
const textOf = (index: number, time = 1) => encodeMetadata({ account, epoch: '0'.repeat(16), number: 1, index, time, proof: 'signed' })

/** What comes of each text by a decoder that has read those before it. */
const inTurn = (texts: readonly string[]) => texts.map(createMetadataDecoder())

describe('the metadata of one event after the other', () => {
  test('is what each alone would be read as', () => {
    const texts = fc.oneof(
      fc.tuple(fc.nat(300), fc.nat(2)).map(([index, time]) => textOf(index, time)),
      fc.constantFrom(
        textOf(1).replace('"index":1', '"index":01'),
        textOf(1).replace('"index":1', '"index":-1'),
        textOf(1).replace('"index":1', '"index":1e2'),
        textOf(1).replace('"index":1', '"index":1,"index":2'),
        textOf(1).replace('"index":1', '"index":12345678901234567890'),
        textOf(1).replace('{', '{"x":{"index":1},'),
        textOf(1).replace('{', '{"x":{"index":2},'),
        textOf(1).replace('"index":1,', ''),
        textOf(1).replace('"index":1,', '"index":'),
        textOf(1).replace('"signed"', '"nobody"'),
        '{"index":1}',
        '',
      ),
    )
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 12 }), (list) => {
        expect(inTurn(list)).toEqual(list.map(decodeMetadata))
      }),
    )
  })

  test('keeps the order of its fields, whoever reads it', () => {
    const [, , third] = inTurn([textOf(0), textOf(1), textOf(2)])
    expect(JSON.stringify(third)).toBe(JSON.stringify(decodeMetadata(textOf(2))))
  })
})
