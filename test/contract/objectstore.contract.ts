import { setImmediate as turn } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/blobstore/port.ts'
import type { StoreAdapter, StoreFixture } from './objectstore.adapters.ts'
import { outcomeOf, right } from './support.ts'

let fixture: StoreFixture
let store: ObjectStore

const put = async (name: string, text: string | Uint8Array): Promise<void> => right(await store.put(name, [Buffer.from(text)])())
const get = async (name: string): Promise<string> => right(await store.get(name)()).toString()

const listed = async (prefix: string): Promise<readonly string[]> => {
  const names: string[] = []
  for await (const { name, size } of store.list(prefix)) names.push(`${name} ${size}`)
  return names.toSorted()
}

const sizeOf = async (name: string): Promise<string> => {
  const size = await store.stat(name)()
  return E.isRight(size) ? String(size.right) : size.left.tag
}

const putting = (): void => {
  it('keeps an object of several pieces whole', async () => {
    const pieces = Array.from({ length: 2500 }, (_, at) => Buffer.alloc(at % 7, at))
    right(await store.put('packs/ab/x', pieces)())
    expect(right(await store.get('packs/ab/x')())).toEqual(Buffer.concat(pieces))
    expect(right(await store.stat('packs/ab/x')())).toBe(Buffer.concat(pieces).length)
  })

  it.each([0, 1, 8 * 1024 * 1024])('keeps an object of %i bytes', async (size) => {
    const bytes = Buffer.alloc(size, 'abcdefg')
    right(await store.put('x', [bytes])())
    expect(right(await store.get('x')()).equals(bytes)).toBe(true)
    expect(right(await store.stat('x')())).toBe(size)
  })

  it('keeps the bytes as they were given, whatever their owner does with them after', async () => {
    const bytes = Buffer.from('before')
    right(await store.put('x', [bytes])())
    bytes.fill(0)
    const read = right(await store.get('x')())
    expect(read.toString()).toBe('before')
    read.fill(0)
    expect(await get('x')).toBe('before')
  })

  it('takes the same object again, and puts a damaged one right by that', async () => {
    await put('a/x', 'whole')
    await put('a/x', 'whole')
    await fixture.flip('a/x', 9)
    expect(await get('a/x')).not.toBe('whole')
    await put('a/x', 'whole')
    expect(await get('a/x')).toBe('whole')
    expect(await listed('')).toEqual(['a/x 5'])
  })

  it('takes many at once, the same one among them', async () => {
    const names = Array.from({ length: 200 }, (_, at) => `chunks/${at % 16}/${at}`)
    const twice = [...names, ...names, ...Array.from({ length: 50 }, () => 'chunks/0/0')]
    await Promise.all(twice.map((name) => put(name, name)))
    expect(await listed('')).toEqual(names.map((name) => `${name} ${name.length}`).toSorted())
    expect(await Promise.all(names.map(get))).toEqual(names)
  })

  it('shows an object whole or not at all while it is put', async () => {
    const bytes = Buffer.alloc(4 * 1024 * 1024, 'part')
    const names = Array.from({ length: 12 }, (_, at) => `chunks/${at}`)
    let putting = true
    const done = Promise.all(names.map((name) => put(name, bytes))).finally(() => (putting = false))
    const seen = new Set<string>()
    while (putting) {
      for (const object of await listed('')) seen.add(object.split(' ')[1] ?? '')
      for (const name of names) seen.add(await sizeOf(name))
      await turn()
    }
    await done
    expect([...seen].filter((size) => size !== String(bytes.length) && size !== 'NotFound')).toEqual([])
    expect(await listed('')).toHaveLength(12)
  })

  it('answers Unavailable where it cannot write, and shows nothing', async () => {
    await put('chunks/x', 'there')
    await fixture.break()
    expect(outcomeOf(await store.put('chunks/y', [Buffer.from('lost')])())).toBe('Unavailable')
    expect(await listed('')).toEqual(['chunks/x 5'])
    expect(await get('chunks/x')).toBe('there')
  })

  it('has everything when it is opened again', async () => {
    await put('chunks/x', 'x')
    await store[Symbol.asyncDispose]()
    store = await fixture.open()
    expect(await get('chunks/x')).toBe('x')
    await put('chunks/y', 'y')
    expect(await listed('')).toEqual(['chunks/x 1', 'chunks/y 1'])
  })
}

const reading = (): void => {
  it('reads ranges', async () => {
    await put('x', '0123456789')
    const range = async (offset: number, length: number) => right(await store.get('x', { offset, length })()).toString()
    expect(await Promise.all([range(0, 10), range(0, 1), range(3, 4), range(9, 1), range(4, 0)])).toEqual([
      '0123456789',
      '0',
      '3456',
      '9',
      '',
    ])
  })

  it.each([
    [0, 11],
    [9, 2],
    [10, 1],
    [100, 1],
  ])('answers Damaged for the range %i, %i of ten bytes', async (offset, length) => {
    await put('x', '0123456789')
    expect(await store.get('x', { offset, length })()).toMatchObject(E.left({ tag: 'Damaged', name: 'x' }))
  })

  it.each(['absent', 'a/absent', 'a', 'a/x/y'])('answers NotFound for %s', async (name) => {
    await put('a/x', 'x')
    const absent = E.left({ tag: 'NotFound', name })
    expect(await store.get(name)()).toEqual(absent)
    expect(await store.get(name, { offset: 0, length: 1 })()).toEqual(absent)
    expect(await store.stat(name)()).toEqual(absent)
  })

  it('lists by prefix, with sizes', async () => {
    for (const name of ['chunks/ab/abc', 'chunks/ab/abd', 'chunks/cd/x', 'packs/ab/y', 'chunks-x']) await put(name, name)
    expect(await listed('chunks/')).toEqual(['chunks/ab/abc 13', 'chunks/ab/abd 13', 'chunks/cd/x 11'])
    expect(await listed('chunks/ab/abd')).toEqual(['chunks/ab/abd 13'])
    expect(await listed('chunks/a')).toEqual(['chunks/ab/abc 13', 'chunks/ab/abd 13'])
    expect(await listed('chunks')).toHaveLength(4)
    expect(await listed('')).toHaveLength(5)
    expect(await listed('absent/')).toEqual([])
  })

  it('removes an object, and is content where there is none', async () => {
    await put('a/x', 'x')
    await put('a/y', 'y')
    right(await store.remove('a/x')())
    right(await store.remove('a/x')())
    right(await store.remove('b/absent')())
    expect(outcomeOf(await store.get('a/x')())).toBe('NotFound')
    expect(await listed('')).toEqual(['a/y 1'])
  })

  it.each(['', '/x', '../x', 'a/../x', 'a/./x', 'a//x', 'a/', '.tmp/x', 'A', 'a b', 'é', 'a\0', 'a\\b'])(
    'throws at %j, which is no name (I11)',
    async (name) => {
      await expect(store.put(name, [Buffer.from('x')])()).rejects.toThrow(RangeError)
      await expect(store.get(name)()).rejects.toThrow(RangeError)
      await expect(store.stat(name)()).rejects.toThrow(RangeError)
      await expect(store.remove(name)()).rejects.toThrow(RangeError)
    },
  )

  it.each(['/', '../', 'a/../', '.'])('throws at %j, which is no prefix (I11)', (prefix) =>
    expect(listed(prefix)).rejects.toThrow(RangeError),
  )
}

/** What every object store promises. */
export const objectStoreContract = (adapter: StoreAdapter): void => {
  beforeEach(async () => {
    fixture = await adapter.create()
    store = await fixture.open()
  })
  afterEach(async () => {
    await store[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  describe('put', () => putting())
  describe('get, stat, list, remove', () => reading())
}
