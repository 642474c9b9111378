import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusals } from '../../test/support/protocol-arbitraries.ts'
import type { FolderId, GatewayEvent, RetentionEvent } from '../domain/events.ts'
import { decodePacksEvent, encodeRetentionEvent } from './event-codec.ts'
import { decodeGatewayEvent, encodeGatewayEvent } from './gateway-event-codec.ts'
import { sha256 } from './hash.ts'

const word = fc.string({ minLength: 1, maxLength: 16 })
const hashes = fc.array(word.map(sha256), { maxLength: 5 })
const pack = fc.option(word.map(sha256))
const type = <T extends string>(name: T) => fc.constant(name)

const retention: fc.Arbitrary<RetentionEvent> = fc.oneof(
  fc.record({ type: type('PackRetiring'), run: word, pack, chunks: hashes }),
  fc.record({ type: type('PackRemoved'), run: word, pack, chunks: hashes, bytes: fc.nat() }),
)

// 32 hex digits.
const folder = word.map((text) => sha256(text).slice(0, 32) as FolderId)

const gateway: fc.Arbitrary<GatewayEvent> = fc.oneof(
  fc.record({ type: type('RetentionStarted'), run: word, keepSeconds: fc.nat(), keepVersions: fc.nat(), folder: fc.option(folder) }),
  fc.record({ type: type('RetentionEnded'), run: word, objects: fc.nat(), bytes: fc.nat() }),
  fc.record({ type: type('GatewayStarted'), gateway: word, boot: word }),
  fc.record({ type: type('SignInsRefused'), account: fc.constant(null), ...refusals }),
  fc.record({ type: type('GatewayPassed'), gateway: word, boot: word, packs: fc.integer({ min: -1, max: 1e9 }) }),
  fc.record({ type: type('GatewayStopped'), gateway: word, boot: word }),
)

describe('the events of retention', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(retention, gateway, (event, other) => {
        expect(decodePacksEvent(encodeRetentionEvent(event))).toEqual(E.right(event))
        expect(decodeGatewayEvent(encodeGatewayEvent(other))).toEqual(E.right(other))
      }),
    )
  })

  it('name the field that is wrong', () => {
    const wrong = decodePacksEvent({ type: 'PackRetiring', data: '{"v":1,"run":"a","pack":null,"chunks":["x"]}' })
    expect(wrong).toMatchObject({ left: { field: 'chunks[0]' } })
    expect(decodeGatewayEvent({ type: 'RetentionEnded', data: '{"v":1,"run":"a","objects":-1,"bytes":0}' })).toMatchObject({
      left: { field: 'objects' },
    })
    const refused = { v: 1, account: null, count: 1, first: 1, last: 1, reasons: { password: 1 }, addresses: [], tried: [] }
    for (const [field, value] of Object.entries({
      account: 'a',
      count: 0,
      addresses: Array(9).fill(''),
      tried: Array(9).fill('A'.repeat(32)),
    }))
      expect(decodeGatewayEvent({ type: 'SignInsRefused', data: JSON.stringify({ ...refused, [field]: value }) })).toMatchObject({
        left: { field },
      })
    const reasons = { 'pass word': 1 }
    expect(decodeGatewayEvent({ type: 'SignInsRefused', data: JSON.stringify({ ...refused, reasons }) })).toMatchObject({
      left: { field: 'reasons.pass word' },
    })
    expect(decodeGatewayEvent({ type: 'RetentionForgotten', data: '{"v":1}' })).toMatchObject({ left: { tag: 'UnknownEvent' } })
  })
})
