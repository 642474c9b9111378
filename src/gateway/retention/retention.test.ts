import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import {
  bytesOf,
  chunkOf,
  creating,
  deleting,
  enrol,
  gatewayWorld,
  updating,
  type Enrolled,
  type World,
} from '../../../test/support/gateway.ts'
import { createBlobStore } from '../../blobstore/chunk-store.ts'
import { markInto } from '../../compose/retention-marks.ts'
import type { Hash } from '../../domain/content.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { logSource } from '../../projections/follow/sources.ts'
import type { RetentionPolicy } from './policy.ts'
import type { RetentionOptions } from './run.ts'

const DAY = 24 * 3600
const KEEP: RetentionPolicy = { keepSeconds: DAY, keepVersions: 0, folder: null }

interface Hooks extends Partial<RetentionOptions> {
  readonly policy?: Partial<RetentionPolicy>
  /** What others do between the marking and the first object that is retired. */
  readonly meanwhile?: () => Promise<unknown>
}

/** A run over what the log says now, on the world's own gateway. */
const retain = async (world: World, { policy = {}, meanwhile = async () => undefined, ...options }: Hooks = {}) => {
  const reader = await world.another()
  const { deps } = world.gateway
  const blobs = createBlobStore(world.objects, deps.followed)
  const source = { ...logSource(deps.log, blobs), isGone: (hash: Hash) => deps.followed.isGone(hash) }
  const mark = async (rule: RetentionPolicy, cutoff: number) => {
    const db = openDatabase(':memory:', { synchronous: 'OFF' })
    const marked = await markInto(db, source, reader.followDatabase, rule, cutoff)
    await meanwhile()
    return E.isLeft(marked) ? marked : E.right({ marked: marked.right, db })
  }
  return world.gateway.retain(
    { blobs, source, gone: [], mark },
    { ...KEEP, ...policy },
    { dryRun: false, thorough: false, stopped: () => false, progress: () => undefined, ...options },
  )
}

/** More than the rest of its pack. */
const FIRST = 'first'.repeat(100)

const inside = (...texts: readonly string[]) => ({ contents: texts.map(bytesOf) })

const reads = async (device: Enrolled, version: number, text: string): Promise<boolean> => {
  const { payload } = await device.open(version, [chunkOf(bytesOf(text)).hash])
  return Buffer.from(payload).toString() === text
}

const typesIn = (world: World, stream: string): readonly string[] => (world.storage.streams.get(stream) ?? []).map(({ type }) => type)

/** A file whose first version ended two days ago; and one that was never touched again, whose content lies in the same pack. */
const twoVersions = async () => {
  const world = await gatewayWorld()
  const laptop = await enrol(world, 1)
  await laptop.change([creating('a', FIRST), creating('b', 'stays')], inside(FIRST, 'stays'))
  await laptop.change([updating('a', 'second', 1)], inside('second'))
  world.clock.advance(2 * DAY * 1000)
  return { world, laptop }
}

describe('retention', () => {
  it('frees what ended longer ago than it keeps, and nothing that stands', async () => {
    const { world, laptop } = await twoVersions()
    expect(await retain(world)).toMatchObject({ right: { versions: 3, released: 1, objects: 1 } })
    expect(await reads(laptop, 1, FIRST)).toBe(false)
    expect(await reads(laptop, 2, 'stays')).toBe(true)
    expect(await reads(laptop, 3, 'second')).toBe(true)
    expect(typesIn(world, 'gateway')).toEqual(['RetentionStarted', 'RetentionEnded'])
    expect(typesIn(world, 'packs')).toEqual(['PackStored', 'PackStored', 'PackRetiring', 'PackRemoved'])
    await world.restart()
    await laptop.signIn()
    expect(await reads(laptop, 2, 'stays')).toBe(true)
  })

  it('has nothing left to do the second time', async () => {
    const { world } = await twoVersions()
    await retain(world)
    expect(await retain(world)).toMatchObject({ right: { objects: 0, bytes: 0 } })
  })

  it('keeps what ended more recently', async () => {
    const { world, laptop } = await twoVersions()
    expect(await retain(world, { policy: { keepSeconds: 3 * DAY } })).toMatchObject({ right: { released: 0, objects: 0 } })
    expect(await reads(laptop, 1, FIRST)).toBe(true)
  })

  it('keeps the newest versions of each file, however old, and of a deleted one as well', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], inside('one'))
    await laptop.change([updating('a', 'two', 1)], inside('two'))
    await laptop.change([updating('a', 'three', 2)], inside('three'))
    await laptop.change([creating('b', 'gone')], inside('gone'))
    await laptop.change([deleting('b', 4)])
    world.clock.advance(2 * DAY * 1000)
    expect(await retain(world, { policy: { keepVersions: 2 } })).toMatchObject({ right: { released: 1 } })
    expect(await reads(laptop, 1, 'one')).toBe(false)
    expect(await reads(laptop, 2, 'two')).toBe(true)
    expect(await reads(laptop, 4, 'gone')).toBe(true)
  })

  it('leaves folders alone that it was not told of', async () => {
    const { world, laptop } = await twoVersions()
    const other = await enrol(world, 2, 'other@b.c')
    expect(await retain(world, { policy: { folder: other.folder } })).toMatchObject({ right: { released: 0, objects: 0 } })
    expect(await reads(laptop, 1, FIRST)).toBe(true)
  })

  it('leaves what is dead in a pack that is needed for the most part, unless it is told to be thorough', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const large = 'large'.repeat(100)
    await laptop.change([creating('a', 'secret'), creating('b', large)], inside('secret', large))
    await laptop.change([deleting('a', 1)])
    world.clock.advance(2 * DAY * 1000)
    const holdsSecret = (): boolean => [...world.objects.objects.values()].some((bytes) => bytes.includes('secret'))
    expect(await retain(world)).toMatchObject({ right: { objects: 0 } })
    expect(holdsSecret()).toBe(true)
    expect(await retain(world, { thorough: true })).toMatchObject({ right: { objects: 1 } })
    expect(holdsSecret()).toBe(false)
    expect(await reads(laptop, 2, large)).toBe(true)
  })

  it('changes nothing in a dry run', async () => {
    const { world, laptop } = await twoVersions()
    const before = [...world.objects.objects.keys()]
    expect(await retain(world, { dryRun: true })).toMatchObject({ right: { released: 1, objects: 1 } })
    expect([...world.objects.objects.keys()]).toEqual(before)
    expect(typesIn(world, 'gateway')).toEqual([])
    expect(await reads(laptop, 1, FIRST)).toBe(true)
  })

  it('asks again for a content that it has freed, and keeps it then', async () => {
    const { world, laptop } = await twoVersions()
    await retain(world)
    expect(await laptop.change([creating('again', FIRST)])).toMatchObject({ status: 100 })
    expect(await laptop.change([creating('again', FIRST)], inside(FIRST))).toMatchObject({ outcomes: [{ status: 200, revision: 4 }] })
    expect(await reads(laptop, 4, FIRST)).toBe(true)
    expect(await retain(world)).toMatchObject({ right: { objects: 0 } })
    expect(await reads(laptop, 4, FIRST)).toBe(true)
  })

  it('never loses what is named again while it is at it', async () => {
    const { world, laptop } = await twoVersions()
    const meanwhile = () => laptop.change([creating('again', FIRST)])
    expect(await retain(world, { meanwhile })).toMatchObject({ _tag: 'Right' })
    expect(await reads(laptop, 4, FIRST)).toBe(true)
    await world.restart()
    await laptop.signIn()
    expect(await reads(laptop, 4, FIRST)).toBe(true)
  })

  it('never loses what is uploaded while it is at it, and named later', async () => {
    const { world, laptop } = await twoVersions()
    await retain(world, { meanwhile: () => laptop.upload([bytesOf('new')]) })
    const named = await laptop.change([creating('new', 'new')])
    if (named.status === 100) await laptop.upload([bytesOf('new')])
    expect(named.status === 100 ? await laptop.change([creating('new', 'new')]) : named).toMatchObject({ outcomes: [{ status: 200 }] })
    expect(await reads(laptop, 4, 'new')).toBe(true)
  })

  it('frees objects of their own, also those that no version ever named', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'alone')], inside('alone'))
    await laptop.upload([bytesOf('forgotten')])
    await laptop.change([deleting('a', 1)])
    world.clock.advance(2 * DAY * 1000)
    expect(await retain(world)).toMatchObject({ right: { objects: 2 } })
    expect(world.objects.objects.size).toBe(0)
    await laptop.change([creating('b', 'alone')], inside('alone'))
    expect(await reads(laptop, 3, 'alone')).toBe(true)
  })

  it('goes on after a run that was cut off between retiring and removing', async () => {
    const { world, laptop } = await twoVersions()
    let stopping = false
    const cut = await retain(world, { stopped: () => stopping, progress: ({ tag }) => void (stopping = tag === 'retired') })
    expect(cut).toMatchObject({ left: { tag: 'Waiting' } })
    expect(typesIn(world, 'packs')).toContain('PackRetiring')
    await world.restart()
    await laptop.signIn()
    expect(await reads(laptop, 2, 'stays')).toBe(true)
    expect(await retain(world)).toMatchObject({ right: { objects: 1 } })
    expect(typesIn(world, 'packs')).toContain('PackRemoved')
    expect(await reads(laptop, 2, 'stays')).toBe(true)
  })
})
