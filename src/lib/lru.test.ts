import { describe, expect, it } from 'vitest'
import { createLru } from './lru.ts'

describe('an LRU map', () => {
  it('lets go of what was not asked for the longest', () => {
    const lru = createLru<string, number>(2)
    lru.set('a', 1)
    lru.set('b', 2)
    expect(lru.get('a')).toBe(1)
    lru.set('c', 3)
    expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual([1, undefined, 3])
  })

  it('bounds the weight of its values, not their number', () => {
    const lru = createLru<string, string>(5, (text) => text.length)
    lru.set('a', '12')
    lru.set('b', '34')
    lru.set('a', '1')
    lru.set('c', '56')
    expect([lru.get('a'), lru.get('b'), lru.get('c')]).toEqual(['1', '34', '56'])
    lru.set('d', '123456')
    expect(['a', 'b', 'c', 'd'].map(lru.get)).toEqual([undefined, undefined, undefined, undefined])
    lru.set('e', '12345')
    expect(lru.get('e')).toBe('12345')
    lru.delete('e')
    expect(lru.get('e')).toBeUndefined()
    lru.set('f', '12345')
    lru.clear()
    expect(lru.get('f')).toBeUndefined()
    lru.set('g', '12345')
    expect(lru.get('g')).toBe('12345')
  })
})
