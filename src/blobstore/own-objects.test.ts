import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../protocol/hash.ts'
import { createMemoryStore } from './object-store/memory.ts'
import { createOwnObjects } from './own-objects.ts'
import type { StoreError } from './port.ts'

const bytes = Buffer.from('content')
const chunk = { bytes, hash: sha256(bytes) }

describe('a chunk that is being stored', () => {
  it('is not taken for stored before it is durable: a second put waits for the first', async () => {
    const first = Promise.withResolvers<StoreError | undefined>()
    let puts = 0
    const store = createMemoryStore({ fault: (operation) => (operation === 'put' && ++puts === 1 ? first.promise : undefined) })
    const own = createOwnObjects(store)
    const answers = [own.put(chunk, false), own.put(chunk, false)]
    expect(await own.has(chunk.hash)).toEqual(E.right(false))
    const full: StoreError = { tag: 'Full', reason: 'no space' }
    first.resolve(full)
    expect(await Promise.all(answers)).toEqual([E.left(full), E.left(full)])
    expect(await own.put(chunk, false)).toEqual(E.right(undefined))
    expect(await own.has(chunk.hash)).toEqual(E.right(true))
    expect(puts).toBe(2)
  })
})
