import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { bytesOf, creating, deleting, enrol, gatewayWorld, updating, type World } from '../../test/support/gateway.ts'
import { until } from '../../test/support/wait.ts'
import type { Change } from '../domain/change.ts'
import { decodePage, MAX_PAGE_CONTENT, MAX_PAGE_CONTENTS } from '../protocol/page.ts'

const inside = (...texts: readonly string[]) => ({ contents: texts.map(bytesOf) })

/** What an agent was last told. */
const lastTold = (world: World, key: string) => {
  const told = world.told.findLast(({ keys }) => keys.includes(key))
  if (told?.page === undefined) return { position: told?.position, page: undefined, texts: [] }
  const page = decodePage(told.page.message)
  if (E.isLeft(page)) throw new Error(JSON.stringify(page.left))
  let at = 0
  const texts = page.right.contents.map(({ size }) => Buffer.from(told.page?.payload ?? []).toString('utf8', at, (at += size)))
  expect(told.page.payload.length).toBe(at)
  return { position: told.position, page: page.right, texts }
}

const two = async () => {
  const world = await gatewayWorld()
  return { world, laptop: await enrol(world, 1), desktop: await enrol(world, 2) }
}

describe('a page that comes with a notification', () => {
  it('is what a Sync from before would tell, and the author gets it without the contents', async () => {
    const { world, laptop, desktop } = await two()
    await laptop.change([creating('a', 'one'), creating('b', 'two')], inside('one', 'two'))
    await laptop.change([updating('a', 'three', 1), deleting('b', 2), creating('d/c', 'one')], inside('three'))
    const synced = await desktop.sync(2)
    const { position, page, texts } = lastTold(world, desktop.key)
    expect(synced).toMatchObject({ position, since: page?.since, chain: page?.chain, head: position, more: false })
    expect(synced).toMatchObject({ entries: page?.entries })
    // What the folder held before is asked for where it is not at hand.
    expect([page?.from, texts]).toEqual([2, ['three']])
    const own = lastTold(world, laptop.key)
    expect(own).toMatchObject({ position, page: { from: 2, entries: page?.entries, contents: [] }, texts: [] })
  })

  it('begins with the log', async () => {
    const { world, laptop, desktop } = await two()
    expect(await desktop.sync(-1)).toMatchObject({ position: 0 })
    await laptop.change([creating('a', 'one')], inside('one'))
    const chains = world.storage.streams.get(`folder-${laptop.folder}`)?.map(({ chain }) => chain)
    expect(lastTold(world, desktop.key)).toMatchObject({ position: 1, page: { from: 0, since: chains?.[0], chain: chains?.[1] } })
  })

  it('holds no content of a change that was refused, and none that is large', async () => {
    const { world, laptop, desktop } = await two()
    await laptop.change([creating('a', 'one')], inside('one'))
    const large = 'x'.repeat(MAX_PAGE_CONTENT + 1)
    await laptop.change([creating('a', 'refused'), creating('b', large), creating('c', 'small')], inside('refused', large, 'small'))
    const { page, texts } = lastTold(world, desktop.key)
    expect(page?.entries.map((entry) => entry.path)).toEqual(['b', 'c'])
    expect(texts).toEqual(['small'])
  })

  it('holds so many contents, and is left out where it would be large itself (I16)', async () => {
    const { world, laptop, desktop } = await two()
    const texts = Array.from({ length: 20 }, (_, n) => String.fromCharCode(65 + n).repeat(MAX_PAGE_CONTENT))
    await laptop.change(
      texts.map((text, n) => creating(`f${n}`, text)),
      inside(...texts),
    )
    const many = lastTold(world, desktop.key)
    expect(many.page?.entries).toHaveLength(20)
    expect(many.texts.join('').length).toBe(MAX_PAGE_CONTENTS)
    const long = Array.from({ length: 200 }, (_, n): Change => creating(`${n}${'\u0001'.repeat(200)}`, 'x'))
    await laptop.change(long, inside('x'))
    expect(lastTold(world, desktop.key)).toMatchObject({ position: 220, page: undefined })
  })

  it('goes to nobody who may not read the folder', async () => {
    const { world, laptop, desktop } = await two()
    const stranger = await enrol(world, 3, 'other@b.c')
    await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: desktop.key, reason: 'lost' })
    world.told.length = 0
    await laptop.change([creating('a', 'one')], inside('one'))
    expect(world.told.flatMap(({ keys }) => keys)).toEqual([laptop.key])
    expect(world.told.some(({ keys }) => keys.includes(stranger.key))).toBe(false)
  })

  it('comes with no notification of what another gateway appended', async () => {
    const world = await gatewayWorld({ shared: true })
    const laptop = await enrol(world, 1)
    const second = await world.another()
    const stop = new AbortController()
    const following = second.follow(stop.signal)
    await laptop.change([creating('a', 'one')], inside('one'))
    await until('both gateways to tell of it', () => world.told.length === 2)
    expect(world.told.filter(({ page }) => page !== undefined)).toHaveLength(1)
    stop.abort()
    await following
  })
})
