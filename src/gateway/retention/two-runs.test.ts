import { setImmediate as turn } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { randomFrom, type Random } from '../../../test/model/random.ts'
import { verifying } from '../../../test/support/audit-world.ts'
import { bytesOf, creating, enrol, gatewayWorld, updating, type World } from '../../../test/support/gateway.ts'
import { createBlobStore } from '../../blobstore/chunk-store.ts'
import type { ObjectStore } from '../../blobstore/port.ts'
import { markInto } from '../../compose/retention-marks.ts'
import type { Hash } from '../../domain/content.ts'
import { isLive } from '../../domain/decide/view.ts'
import type { FolderId } from '../../domain/events.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { logSource } from '../../projections/follow/sources.ts'
import { accountIdOf } from '../../protocol/event-ids.ts'

const DAY_MS = 24 * 3600 * 1000
const FILES = 8

type Wait = () => Promise<void>

/** Anything may come before what waits so. */
const jitter =
  (random: Random): Wait =>
  async () => {
    for (let turns = random.int(4); turns > 0; turns -= 1) await turn()
  }

const jittered = (store: ObjectStore, wait: Wait): ObjectStore => ({
  ...store,
  put: (name, bytes) => () => wait().then(store.put(name, bytes)),
  get: (name, range) => () => wait().then(store.get(name, range)),
  remove: (name) => () => wait().then(store.remove(name)),
})

const retain = async (
  world: World,
  { keepVersions, thorough }: { readonly keepVersions: number; readonly thorough: boolean },
  wait: Wait,
) => {
  const { deps } = world.gateway
  const blobs = createBlobStore(jittered(world.objects, wait), deps.followed)
  const source = { ...logSource(deps.log, blobs), isGone: (hash: Hash) => deps.followed.isGone(hash) }
  return world.gateway.retain(
    {
      blobs,
      source,
      gone: [],
      mark: async (rule, cutoff) => {
        const db = openDatabase(':memory:', { synchronous: 'OFF' })
        const marked = await markInto(db, source, (await world.another()).followDatabase, rule, cutoff)
        await wait()
        return E.isLeft(marked) ? marked : E.right({ marked: marked.right, db })
      },
    },
    { keepSeconds: DAY_MS / 1000, keepVersions, folder: null },
    { dryRun: false, thorough, stopped: () => false, progress: () => undefined },
  )
}

/** Two gateways that follow one log, and a device at each. */
const twoGateways = async (wait: Wait) => {
  const shared = await gatewayWorld({ shared: true, log: { outcome: () => wait().then(() => 'ok' as const) } })
  const clock = { ...shared.clock, sleep: async (ms: number) => turn().then(() => shared.clock.advance(ms)) }
  const at = async (instance: string): Promise<World> => ({ ...shared, gateway: await shared.another({ instance, clock }) })
  const worlds = [await at('gateway-1'), await at('gateway-2')] as const
  const stop = new AbortController()
  const following = worlds.map(({ gateway }) => gateway.follow(stop.signal))
  for (const { gateway } of worlds) await gateway.presence.started()
  const laptop = await enrol(worlds[0], 1)
  while (worlds[1].gateway.deps.state.directory.account(accountIdOf('a@b.c')) === undefined) await turn()
  const desktop = await enrol(worlds[1], 2)
  return { shared, worlds, devices: [laptop, desktop] as const, end: async () => (stop.abort(), Promise.all(following)) }
}

/** Contents that stand, and can't be read. */
const lost = async (world: World, folder: FolderId): Promise<readonly string[]> => {
  const { deps } = await world.another()
  const blobs = createBlobStore(world.objects, deps.followed)
  const missing: string[] = []
  for (const entry of deps.state.tree(folder).since(-1, 1000)) {
    const chunks = isLive(entry) && entry.content.manifest.tag === 'chunks' ? entry.content.manifest.chunks : []
    for (const { hash } of chunks) if (E.isLeft(await blobs.get(hash)())) missing.push(entry.path)
  }
  return missing
}

it.each(Array.from({ length: 8 }, (_, index) => index))(
  'two runs at once, on two gateways over one log, lose nothing that stands, beside uploads of what goes (%i)',
  async (seed) => {
    const random = randomFrom(seed)
    const wait = jitter(random)
    const { shared, worlds, devices, end } = await twoGateways(wait)
    const [laptop, desktop] = devices
    const texts = Array.from({ length: FILES }, (_, index) => `${index} `.repeat(20 + random.int(200)))
    await laptop.change(
      texts.map((text, index) => creating(`f${index}`, text)),
      { contents: texts.map(bytesOf) },
    )
    for (let index = 0; index < FILES; index += 1)
      if (random.chance(0.6))
        await laptop.change([updating(`f${index}`, `new ${index}`, index + 1)], { contents: [bytesOf(`new ${index}`)] })
    shared.clock.advance(2 * DAY_MS)
    const uploads = async (): Promise<void> => {
      for (const [index, text] of texts.entries()) {
        await wait()
        const device = random.pick([laptop, desktop])
        await device.change([creating(`again/${index}`, text)], { contents: [bytesOf(text)] })
      }
    }
    const policies = [random, random.fork()].map((chance) => ({ keepVersions: chance.int(2), thorough: chance.chance(0.7) }))
    const [first, second] = policies
    if (first === undefined || second === undefined) throw new Error('no policies')
    const ends = await Promise.all([retain(worlds[0], first, wait), retain(worlds[1], second, wait), uploads()])
    // One may have been in the way of the other: it says so, and the next run goes on.
    for (const run of ends) if (run !== undefined && E.isLeft(run)) expect(JSON.stringify(run.left)).toMatch(/again/)
    expect(await lost(shared, laptop.folder)).toEqual([])
    expect(await retain(worlds[0], { keepVersions: 0, thorough: true }, wait)).toMatchObject({ _tag: 'Right' })
    await end()
    expect(await lost(shared, laptop.folder)).toEqual([])
    // These devices don't link their messages.
    const { faults } = await verifying({ events: shared.storage.all, objects: shared.objects.objects })
    expect(faults.filter(({ kind }) => kind !== 'link')).toEqual([])
    expect(shared.faults).toEqual([])
  },
)
