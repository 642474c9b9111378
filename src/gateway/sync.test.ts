import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOf, creating, deleting, enrol, gatewayWorld, textFile, updating, type Enrolled } from '../../test/support/gateway.ts'
import { path } from '../../test/support/memory-tree.ts'
import type { Change } from '../domain/change.ts'
import type { RemoteEntry } from '../protocol/messages.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })

/** Everything since a position, page by page, as an agent asks. */
const syncAll = async (device: Enrolled, from: number) => {
  const pages: (readonly RemoteEntry[])[] = []
  let position = from
  for (;;) {
    const answer = await device.sync(position)
    if (answer.tag !== 'Synced') throw new Error(JSON.stringify(answer))
    pages.push(answer.entries)
    position = answer.position
    if (!answer.more) return { pages, entries: pages.flat(), position, head: answer.head, chain: answer.chain }
  }
}

describe('sync', () => {
  it('tells what happened since a position, each path once, deletions included', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one'), creating('b', 'one')], inside('one'))
    await laptop.change([updating('a', 'two', 1)], inside('two'))
    await laptop.change([deleting('b', 2)])
    expect(await laptop.sync(0)).toMatchObject({
      position: 4,
      head: 4,
      more: false,
      entries: [
        { path: 'a', version: 3 },
        { path: 'b', version: 4, content: undefined },
      ],
    })
    expect(await laptop.sync(3)).toMatchObject({ entries: [{ path: 'b', version: 4 }] })
    expect(await laptop.sync(4)).toMatchObject({ entries: [], position: 4 })
  })

  it("tells the log's chain at the position asked for, and at the one reached (I10)", async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one'), creating('b', 'one')], inside('one'))
    const chains = world.storage.streams.get(`folder-${laptop.folder}`)?.map(({ chain }) => chain)
    expect(await laptop.sync(1)).toMatchObject({ since: chains?.[1], chain: chains?.[2] })
    expect(await laptop.sync(-1)).toMatchObject({ since: '', chain: chains?.[2] })
    expect(await laptop.sync(9)).toMatchObject({ since: '', chain: chains?.[2], position: 2, head: 2, entries: [] })
  })

  it('goes page by page; the two paths of a move come together', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const names = Array.from({ length: 2300 }, (_, index) => `${index}`.padStart(5, '0'))
    for (let at = 0; at < names.length; at += 250)
      await laptop.change(
        names.slice(at, at + 250).map((name) => creating(name, 'one')),
        inside('one'),
      )
    const moves = names.map((name, index): Change => ({
      tag: 'move',
      from: path(name),
      path: path(`m${name}`),
      content: textFile('one'),
      base: index + 1,
    }))
    for (let at = 0; at < moves.length; at += 250) await laptop.change(moves.slice(at, at + 250))
    const { pages, entries, position, head } = await syncAll(laptop, 0)
    expect(pages.length).toBe(3)
    expect(position).toBe(head)
    expect(new Set(entries.map((entry) => entry.path)).size).toBe(4600)
    const versions = pages.map((page) => new Set(page.map(({ version }) => version)))
    expect(versions.reduce((sum, set) => sum + set.size, 0)).toBe(2300)
  })

  it('I8: applied to the tree at a position it gives the tree at the head', async () => {
    const names = ['a', 'b', 'd', 'd/a', 'd/b']
    const anyStep = fc.record({
      kind: fc.constantFrom('put' as const, 'delete' as const, 'move' as const),
      name: fc.constantFrom(...names),
      to: fc.constantFrom(...names),
      text: fc.constantFrom('X', 'Y', 'Z'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 15 }), fc.nat(15), async (steps, seenAfter) => {
        const world = await gatewayWorld()
        const laptop = await enrol(world, 1)
        let seen = await syncAll(laptop, -1)
        for (const [index, { kind, name, to, text }] of steps.entries()) {
          if (index === seenAfter) seen = await syncAll(laptop, -1)
          const base = world.gateway.deps.state.tree(laptop.folder).get(path(name))?.revision ?? 0
          const moving: Change = { tag: 'move', from: path(name), path: path(`${to}2`), content: textFile(text), base }
          const changes = { put: updating(name, text, base), delete: deleting(name, base), move: moving }
          await laptop.change([changes[kind]], inside(text))
        }
        const tree = new Map(seen.entries.map((entry) => [entry.path, entry]))
        const news = await syncAll(laptop, seen.position)
        expect(new Set(news.entries.map((entry) => entry.path)).size).toBe(news.entries.length)
        for (const entry of news.entries) tree.set(entry.path, entry)
        const whole = await syncAll(laptop, -1)
        const live = (entries: Iterable<RemoteEntry>) =>
          [...entries].filter(({ content }) => content !== undefined).toSorted((a, b) => (a.path < b.path ? -1 : 1))
        expect(live(tree.values())).toEqual(live(whole.entries))
      }),
      { numRuns: 60 },
    )
  })
})
