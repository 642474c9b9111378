import { describe, expect, it } from 'vitest'
import type { Hash } from '../../domain/content.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { sha256 } from '../../protocol/hash.ts'
import type { Facts } from './facts.ts'
import { readFollowTables } from './read.ts'
import { createRecent } from './recent.ts'
import { openFollowTables } from './write.ts'

const [one, two] = [sha256('one'), sha256('two')]
const stored = (pack: string, hashes: readonly Hash[]): Facts => ({
  pack: { type: 'PackStored', pack, entries: hashes.map((hash, at) => ({ hash, offset: at, size: 1 })) },
})
const retiring = (pack: string | null, chunks: readonly Hash[]): Facts => ({
  retention: { event: { type: 'PackRetiring', run: 'r', pack, chunks }, time: 5 },
})

/** What the tables say, and what the memory over them says, after the same events. */
const after = (facts: readonly Facts[]) => {
  const db = openDatabase(':memory:', { synchronous: 'OFF' })
  openFollowTables(db).keep(facts, undefined)
  const recent = createRecent()
  recent.add(1n, facts)
  const tables = readFollowTables(db)
  return [
    tables,
    {
      find: (hash: Hash) => {
        const place = recent.find(hash)
        return place === 'gone' ? undefined : place
      },
      isGone: (hash: Hash) => recent.isGone(hash) ?? false,
      isRetired: recent.isRetired,
    },
  ]
}

describe('chunks whose pack is retired', () => {
  it('count as missing, and the name of the pack is spent', () => {
    for (const index of after([stored('p', [one, two]), retiring('p', [one, two])])) {
      expect(index.find(one)).toBe(undefined)
      expect(index.isGone(two)).toBe(true)
      expect(index.isRetired({ pack: 'p' })).toBe(true)
      expect(index.isRetired({ pack: 'q' })).toBe(false)
    }
  })

  it('are found again where they were stored since, in one page with that as well', () => {
    for (const index of after([stored('p', [one, two]), retiring('p', [one, two]), stored('q', [one])])) {
      expect(index.find(one)?.pack).toBe('q')
      expect(index.isGone(one)).toBe(false)
      expect(index.isGone(two)).toBe(true)
    }
  })

  it('stay where another pack holds them since before', () => {
    for (const index of after([stored('p', [one, two]), stored('q', [one]), retiring('p', [two])])) {
      expect(index.find(one)?.pack).toBe('q')
      expect(index.isGone(two)).toBe(true)
    }
  })

  it('may have been objects of their own', () => {
    for (const index of after([retiring(null, [one])])) {
      expect(index.isGone(one)).toBe(true)
      expect(index.isRetired({ chunk: one })).toBe(true)
      expect(index.isRetired({ chunk: two })).toBe(false)
    }
  })
})
