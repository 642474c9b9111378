import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { folders, hashes, outcomes, revisions } from '../../test/support/protocol-arbitraries.ts'
import type { Receipt } from './messages.ts'
import { outcomesHash, readStatement, receiptStatement, signReceipts, verifyReceipt } from './receipt.ts'
import { createKeyPair } from './signing.ts'

const gateway = createKeyPair(Buffer.alloc(32, 7))
const stranger = createKeyPair(Buffer.alloc(32, 8))

const said = fc.record({
  folder: folders,
  root: hashes,
  outcomes: fc.array(outcomes, { maxLength: 4 }),
  position: revisions,
  chain: hashes,
})
const statementOf = (said_: {
  folder: Parameters<typeof receiptStatement>[0]
  root: Parameters<typeof receiptStatement>[1]
  outcomes: Parameters<typeof receiptStatement>[2]
  position: number
  chain: string
}) => receiptStatement(said_.folder, said_.root, said_.outcomes, said_.position, said_.chain)

describe('receipts', () => {
  test("each of a group commit verifies under the gateway's key, and says what was stated", () => {
    fc.assert(
      fc.property(fc.array(said, { minLength: 1, maxLength: 9 }), (list) => {
        const receipts = signReceipts(list.map(statementOf), gateway)
        for (const [i, receipt] of receipts.entries()) {
          expect(verifyReceipt(receipt, gateway.publicKey)).toBe(true)
          expect(verifyReceipt(receipt, stranger.publicKey)).toBe(false)
          const { folder, root, outcomes: list_, position, chain } = list[i] ?? expect.fail()
          expect(readStatement(receipt)).toEqual(E.right({ folder, root, outcomes: outcomesHash(list_), position, chain }))
        }
      }),
      { numRuns: 50 },
    )
  })

  const [first, second] = signReceipts(['one', 'two', 'three'], gateway)
  if (first === undefined || second === undefined) throw new Error('there are three')

  test.each<[string, Receipt]>([
    ['another statement', { ...first, statement: 'other' }],
    ['another place', { ...first, index: 1 }],
    ['a place outside', { ...first, index: 3 }],
    ['a path cut short', { ...first, path: first.path.slice(1) }],
    ['another path', { ...first, path: second.path }],
    ['a signature of another text', { ...first, signature: gateway.sign('other') }],
  ])('does not verify with %s', (_, receipt) => {
    expect(verifyReceipt(receipt, gateway.publicKey)).toBe(false)
  })

  test('a statement that is not JSON is a left', () => {
    expect(readStatement(first)).toMatchObject({ left: { tag: 'BadMessage' } })
  })
})
