import { describe, expect, it } from 'vitest'
import { EngineWorld, expectSame, type EngineDevice } from '../../../test/support/engine-world.ts'
import { until } from '../../../test/support/wait.ts'
import type { JsonObject } from '../../protocol/json.ts'
import { sha256 } from '../../protocol/hash.ts'
import { MAX_PAGE_CONTENTS } from '../../protocol/page.ts'
import type { FolderAt } from '../../transport/port.ts'

/** Two devices in sync, one of which has asked for nothing since. */
const following = async () => {
  const { world, a, b } = await EngineWorld.pair()
  a.write('before', 'x')
  await expectSame(world)
  world.asked.length = 0
  return { world, a, b }
}

const askedBy = (world: EngineWorld, { key }: EngineDevice): unknown[] =>
  world.asked.filter(({ device }) => device === key).map(({ action }) => action)

const edit = (device: EngineDevice, name: string, text: string): void => {
  device.write(name, text)
  device.hint(name)
}

const arrives = (device: EngineDevice, name: string, text: string): Promise<true | undefined> =>
  until(`${name} to arrive`, () => (device.has(name) && device.text(name) === text) || undefined)

describe('a page that comes with a notification', () => {
  it('is all that a device needs which follows the folder: it asks for nothing, and nor does the author', async () => {
    const { world, a, b } = await following()
    for (const text of ['one', 'two', 'three']) {
      edit(a, 'file', text)
      await arrives(b, 'file', text)
    }
    a.symlink('link', 'file')
    edit(a, 'empty', '')
    a.hint('link')
    await until('the rest to arrive', () => b.has('link') && b.has('empty'))
    await a.until('all to be settled', ({ inSync }) => inSync)
    expect(askedBy(world, b)).toEqual([])
    expect(new Set(askedBy(world, a))).toEqual(new Set(['Changes']))
    await expectSame(world)
  })

  it('that was lost, came twice or comes late does no harm', async () => {
    const { world, a, b } = await following()
    const kept: FolderAt[] = []
    world.telling = (told) => {
      kept.push(told)
      // Every other one is an older one, or none.
      return kept.length % 2 === 0 ? (kept[kept.length - 3] ?? told) : told
    }
    for (let n = 0; n < 10; n += 1) {
      edit(a, `file ${n}`, `text ${n}`)
      await a.until('it to be sent', ({ pending }) => pending === 0)
    }
    world.telling = (told) => told
    edit(a, 'last', 'text')
    await arrives(b, 'last', 'text')
    await expectSame(world)
  })

  const lies: readonly (readonly [
    what: string,
    lie: (page: JsonObject, payload: Uint8Array) => { page?: JsonObject; payload?: Uint8Array },
  ])[] = [
    ['of another chain (I10)', (page) => ({ page: { ...page, Since: sha256('other') } })],
    ['from another position', (page) => ({ page: { ...page, From: Number(page['From']) - 1 } })],
    ['of nothing that can be read', () => ({ page: { From: 'nowhere' } })],
    ['of entries from before', (page) => ({ page: withEntries(page, (entry) => ({ ...entry, Version: 0 })) })],
    ['of entries from after', (page) => ({ page: withEntries(page, (entry) => ({ ...entry, Version: 1_000 })) })],
    ['I11: of a path that is none', (page) => ({ page: withEntries(page, (entry) => ({ ...entry, OriginalName: '../evil' })) })],
    ['with other bytes', () => ({ payload: Buffer.from('owt') })],
    ['with fewer bytes', () => ({ payload: Buffer.from('t') })],
    ['with too many bytes (I16)', () => ({ payload: new Uint8Array(MAX_PAGE_CONTENTS + 1) })],
  ]
  it.each(lies)('%s is as if it had not come', async (_, lie) => {
    const { world, a, b } = await following()
    world.telling = ({ page, ...told }) => {
      if (page === undefined) return told
      const { page: message = page.message, payload = page.payload } = lie(page.message, page.payload)
      return { ...told, page: { message, payload } }
    }
    edit(a, 'file', 'two')
    await arrives(b, 'file', 'two')
    expect(askedBy(world, b)).not.toEqual([])
    expect(b.sync.status()).toMatchObject({ problems: [], lastError: null })
    await expectSame(world)
    expect(b.paths).toEqual(['before', 'file'])
  })
})

const withEntries = (page: JsonObject, change: (entry: JsonObject) => JsonObject): JsonObject => {
  // A page of the gateway's own.
  const changes = page['Changes'] as { readonly [list: string]: readonly JsonObject[] }
  return { ...page, Changes: Object.fromEntries(Object.entries(changes).map(([list, entries]) => [list, entries.map(change)])) }
}
