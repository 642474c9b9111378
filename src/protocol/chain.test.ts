import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chainOf } from './chain.ts'
import { sha256 } from './hash.ts'

const EVENT = { stream: 'folder-a', revision: 0, id: 'id', type: 'FileCreated', data: '{"a":"ä"}', metadata: '{}' }

describe('the chain of a stream', () => {
  test('is SHA-256 of the fields, each after its length in bytes', () => {
    expect(chainOf('', EVENT)).toBe(sha256('0:8:folder-a1:02:id11:FileCreated10:{"a":"ä"}2:{}'))
    expect(chainOf('ab', { ...EVENT, revision: 10 })).toBe(sha256('2:ab8:folder-a2:102:id11:FileCreated10:{"a":"ä"}2:{}'))
  })

  const texts = fc.string({ maxLength: 4 })
  const events = fc.record({ stream: texts, revision: fc.nat({ max: 20 }), id: texts, type: texts, data: texts, metadata: texts })

  test('I9: two different events never have one chain', () => {
    fc.assert(
      fc.property(texts, events, texts, events, (chain, event, otherChain, other) => {
        const same = JSON.stringify([chain, event]) === JSON.stringify([otherChain, other])
        expect(chainOf(chain, event) === chainOf(otherChain, other)).toBe(same)
      }),
      { numRuns: 1000 },
    )
  })
})
