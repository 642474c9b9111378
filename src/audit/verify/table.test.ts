import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../protocol/hash.ts'
import { hexOfKey, keyOfHash, keyOfText, NOWHERE, Table } from './table.ts'

describe('the table', () => {
  it('keeps what a map keeps', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2000), fc.nat(2 ** 32 - 1)), { maxLength: 3000 }), (writes) => {
        const table = new Table(2)
        const map = new Map<number, number>()
        for (const [name, value] of writes) {
          table.set(table.add(keyOfText(String(name))), 1, value)
          map.set(name, value)
        }
        expect(table.size).toBe(map.size)
        for (const [name, value] of map) expect(table.get(table.find(keyOfText(String(name))), 1)).toBe(value)
        expect([...table.slots()]).toHaveLength(map.size)
        expect(table.find(keyOfText('none'))).toBe(NOWHERE)
      }),
      { numRuns: 20 },
    )
  })

  it('knows a hash by its first half', () => expect(hexOfKey(keyOfHash(sha256('a')))).toBe(sha256('a').slice(0, 32)))
})
