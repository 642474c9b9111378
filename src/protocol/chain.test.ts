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

  /** One text, cut into the six texts of an event at these places. */
  const cut = (text: string, places: readonly number[]): readonly [string, typeof EVENT] => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = places.toSorted((x, y) => x - y)
    const event = {
      stream: text.slice(a, b),
      revision: 1,
      id: text.slice(b, c),
      type: text.slice(c, d),
      data: text.slice(d, e),
      metadata: text.slice(e),
    }
    return [text.slice(0, a), event]
  }
  const places = fc.array(fc.nat({ max: 12 }), { minLength: 5, maxLength: 5 })

  test('I9: fields that run on into each other still make different chains', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('1', '2', ':', 'ä'), minLength: 8, maxLength: 12 }),
        places,
        places,
        (text, some, others) => {
          const [one, other] = [cut(text, some), cut(text, others)]
          expect(chainOf(...one) === chainOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other))
        },
      ),
      { numRuns: 1000 },
    )
  })
})
