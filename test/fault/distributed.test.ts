import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/blobstore/object-store/memory.ts'
import type { ObjectStore } from '../../src/blobstore/port.ts'
import { right } from '../contract/support.ts'
import { mortalServer, type MortalServer } from '../support/eventstoredb/mortal.ts'
import { writeTree } from '../support/files.ts'
import { countOf } from '../support/log.ts'
import { distributed } from '../support/profiles/distributed.ts'
import { startRabbit, type TestRabbit } from '../support/servers/rabbitmq.ts'
import { serverFor } from '../support/servers/server.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { filesIn } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World, type Device } from '../support/world.ts'
import { damageIn, weightOf } from './support/log-check.ts'

/** With EVENTSYNC_FAULT_FILES=2000 it takes minutes, and tells how long each server's loss is felt under load. */
const FILES = Number(process.env['EVENTSYNC_FAULT_FILES'] ?? 300)
/** When something breaks: so much of the files has arrived. */
const MOMENTS = [0.15, 0.5]

const installed = (await Promise.all([serverFor('rabbitmq'), serverFor('s3')])).every((url) => url !== undefined)
const directory = mkdtempSync(join(tmpdir(), 'eventsync-distributed-'))
/** A broker of its own: what is done to it here would disturb others. */
const rabbit = installed ? await startRabbit(directory) : undefined

const STORE_PORT = Number(new URL((await serverFor('s3')) ?? 'http://127.0.0.1:0').port)

/** Everything that one sync needs, and that may break. */
interface Parts {
  readonly world: World
  readonly broker: TestRabbit
  readonly log: MortalServer
  /** In front of the store. */
  readonly store: TcpProxy
}

interface Fault {
  readonly breaks: (parts: Parts) => Promise<void> | void
  readonly mends: (parts: Parts) => Promise<void>
}

const FAULTS: Readonly<Record<string, Fault>> = {
  'kill -9 of the gateway': { breaks: ({ world }) => world.gateway.kill(), mends: ({ world }) => world.startGateway() },
  'kill -9 and restart of the broker': { breaks: ({ broker }) => broker.kill(), mends: ({ broker }) => broker.start() },
  'kill -9 and restart of the event log': { breaks: ({ log }) => log.kill(), mends: ({ log }) => log.start() },
  'connections to the store cut ten times': {
    breaks: async ({ store }) => {
      for (let cuts = 0; cuts < 10; cuts += 1) {
        store.cut()
        await pause(50)
      }
    },
    mends: async () => undefined,
  },
  'no store for 3 s': {
    breaks: async ({ store }) => {
      store.target = undefined
      store.cut()
      await pause(3000)
    },
    mends: async ({ store }) => {
      store.target = STORE_PORT
    },
  },
}

/** All objects: an S3 server takes its time for each of many ranges. */
const contentsOf = async (store: ObjectStore): Promise<ReadonlyMap<string, Buffer>> => {
  const objects = new Map<string, Buffer>()
  for await (const { name } of store.list('')) objects.set(name, right(await store.get(name)()))
  return objects
}

const inMemory = (objects: ReadonlyMap<string, Buffer>): ObjectStore => {
  const store = createMemoryStore()
  for (const [name, bytes] of objects) store.objects.set(name, bytes)
  return store
}

const arrived = (device: Device): number => {
  try {
    return weightOf(device.folder).files
  } catch {
    // Something went while it was counted.
    return 0
  }
}

/** Breaks something, mends it, and waits until more arrives than had before; tells how long each took. */
const suffer = async ({ breaks, mends }: Fault, parts: Parts, device: Device): Promise<string> => {
  const begun = performance.now()
  await breaks(parts)
  await mends(parts)
  const [mended, before] = [performance.now(), arrived(device)]
  const goesOn = async (): Promise<boolean> => arrived(device) > before || (await device.status()).inSync
  await until('the sync to go on', goesOn, 90)
  const seconds = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`
  return `down for ${seconds(begun, mended)}, the next file ${seconds(mended, performance.now())} after that`
}

describe.skipIf(rabbit === undefined)('what the distributed profile stands on breaks in the middle of a sync', () => {
  afterAll(async () => {
    await rabbit?.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  })

  test.each(Object.entries(FAULTS))(
    'I1, I5, I6: %s: nothing is lost, and nothing doubled',
    async (name, fault) => {
      if (rabbit === undefined) throw new Error('there is no broker')
      await using log = await mortalServer()
      await using store = await TcpProxy.listen()
      store.target = STORE_PORT
      const profile = await distributed({ broker: rabbit.url, log: log.url, storePort: store.port })
      await using world = await World.create({}, profile)
      const parts: Parts = { world, broker: rabbit, log, store }
      const [laptop, desktop] = [await world.device('laptop'), await world.device('desktop')]
      writeTree(laptop.path(), FILES)
      const files = filesIn(laptop.folder)
      for (const device of [laptop, desktop]) await device.start()
      for (const moment of MOMENTS) {
        await until(`${moment} of the files`, () => arrived(desktop) >= moment * files, 90)
        console.log(`${FILES} files, ${name}: ${await suffer(fault, parts, desktop)}`)
      }
      for (const device of [laptop, desktop]) await device.settle(120)
      await expectSame(laptop, desktop)
      expect((await laptop.status()).conflicts).toEqual([])
      expect(filesIn(desktop.folder)).toBe(files)
      const events = await profile.events(world.data)
      expect(countOf(events).get('FileCreated file')).toBe(files)
      expect(await damageIn(events, inMemory(await contentsOf(profile.store)))).toEqual([])
    },
    300_000,
  )
})
