import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { expectSame, World, type Device } from '../support/world.ts'

const MIB = 1024 * 1024
const SIZE = 64 * MIB
const CHUNK_MAX = 4 * MIB
/** DESIGN.md, section 9: at most 3 chunks and 64 KiB each way. */
const BAR = 3 * CHUNK_MAX + 64 * 1024

const relayTo = async (port: number): Promise<TcpProxy> => {
  const relay = await TcpProxy.listen()
  relay.target = port
  return relay
}

/** Two devices, each behind a relay that counts. */
const counted = async (world: World): Promise<{ devices: [Device, Device]; relays: [TcpProxy, TcpProxy] }> => {
  const relays: [TcpProxy, TcpProxy] = [await relayTo(world.entrance), await relayTo(world.entrance)]
  const devices: [Device, Device] = [await world.device('laptop'), await world.device('desktop')]
  for (const [i, device] of devices.entries()) await device.start('--server', world.profile.urlAt(relays[i]?.port ?? 0))
  return { devices, relays }
}

/** What passed the relay while `change` was made and came to be everywhere. */
const bytesOf = async (
  { devices, relays }: Awaited<ReturnType<typeof counted>>,
  change: () => void,
): Promise<{ sent: number; received: number }> => {
  const before = relays.map(({ up, down }) => ({ up, down }))
  change()
  await expectSame(...devices)
  return { sent: relays[0].up - (before[0]?.up ?? 0), received: relays[1].down - (before[1]?.down ?? 0) }
}

test('only what is new of a large file travels, and nothing of a renamed or copied one', async () => {
  await using world = await World.create()
  const pair = await counted(world)
  const [relayA, relayB] = pair.relays
  await using _a = relayA
  await using _b = relayB
  const [laptop, desktop] = pair.devices
  const content = randomBytes(SIZE)
  const first = await bytesOf(pair, () => writeFileSync(laptop.path('big'), content))
  expect(first.sent).toBeGreaterThan(SIZE)
  expect(first.sent).toBeLessThan(SIZE * 1.05)

  const inserted = await bytesOf(pair, () => writeFileSync(laptop.path('big'), Buffer.concat([Buffer.from('x'), content])))
  expect(inserted.sent).toBeLessThan(BAR)
  expect(inserted.received).toBeLessThan(BAR)

  const overwritten = await bytesOf(pair, () => {
    const file = openSync(laptop.path('big'), 'r+')
    writeSync(file, 'y', SIZE / 2)
    closeSync(file)
  })
  expect(overwritten.sent).toBeLessThan(BAR)
  expect(overwritten.received).toBeLessThan(BAR)

  const renamed = await bytesOf(pair, () => renameSync(laptop.path('big'), laptop.path('renamed')))
  expect(renamed.sent + renamed.received).toBeLessThan(64 * 1024)

  const copied = await bytesOf(pair, () => writeFileSync(laptop.path('copy'), readFileSync(laptop.path('renamed'))))
  expect(copied.sent + copied.received).toBeLessThan(64 * 1024)
  expect(
    createHash('sha256')
      .update(readFileSync(desktop.path('copy')))
      .digest('hex'),
  ).toBe(
    createHash('sha256')
      .update(readFileSync(laptop.path('renamed')))
      .digest('hex'),
  )
})

test('a transfer that is cut goes on at a chunk', async () => {
  await using world = await World.create()
  const pair = await counted(world)
  const [relayA, relayB] = pair.relays
  await using _a = relayA
  await using _b = relayB
  const [laptop] = pair.devices
  const { sent, received } = await bytesOf(pair, () => {
    writeFileSync(laptop.path('big'), randomBytes(SIZE))
    let cuts = 0
    const timer = setInterval(() => {
      for (const relay of [relayA, relayB]) {
        const { up, down } = relay
        if (up + down > (cuts + 1) * 12 * MIB && cuts < 3) {
          cuts += 1
          relay.cut()
        }
      }
      if (cuts >= 3) clearInterval(timer)
    }, 5)
    timer.unref()
  })
  expect(sent).toBeLessThan(SIZE * 1.7)
  expect(received).toBeLessThan(SIZE * 1.7)
})
