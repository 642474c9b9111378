import { mkdirSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bytesOf, creating } from '../support/gateway.ts'
import { filesIn } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World } from '../support/world.ts'
import { Client } from './support/client.ts'
import { damageOf } from './support/log-check.ts'
import { SmallDisk } from './support/small-disk.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** A gateway whose data lies on a disk of its own. */
const smallGateway = async (megabytes: number): Promise<{ readonly world: World; readonly disk: SmallDisk }> => {
  const world = await World.create()
  await world.gateway.stop()
  const disk = new SmallDisk(world.data, megabytes)
  await world.startGateway()
  await world.userAdd()
  return { world, disk }
}

describe("the gateway's disk is full", () => {
  test('507 and not a word too much; reading goes on; nothing is half there; and then it goes on', async () => {
    const { world, disk } = await smallGateway(24)
    await using _ = world
    using __ = disk
    await using client = await Client.enrol(world.url, 'eve@example.org', 'x')
    const kept = await client.change([creating('kept', 'kept')], [bytesOf('kept')])
    expect(kept).toMatchObject({ tag: 'Changed' })
    disk.fill()
    const large = randomBytes(2 * MIB)
    expect(await client.upload([large])).toMatchObject({ status: 507, code: 'full' })
    // The log's own file may have some room left in what it has taken already.
    const answers: string[] = []
    for (let n = 0; n < 400 && !answers.includes('507'); n += 1)
      answers.push(String((await client.change([creating(`n ${n}`, `${n}`)], [bytesOf(`${n}`)])).status))
    expect(answers.at(-1)).toBe('507')
    expect(new Set(answers).size).toBeLessThanOrEqual(2)
    expect((await client.open(1, [])).answer).toMatchObject({ tag: 'Opened' })
    const before = await client.sync()
    expect(before).toMatchObject({ tag: 'Synced' })
    expect(world.gateway.running).toBe(true)
    expect((await fetch(`http://127.0.0.1:${world.port}/healthz`)).ok).toBe(true)
    disk.free()
    expect(await client.upload([large])).toMatchObject({ tag: 'Done' })
    expect(await client.change([creating('after', 'after')], [bytesOf('after')])).toMatchObject({
      tag: 'Changed',
      outcomes: [{ status: 200 }],
    })
    expect(await world.gateway.stop()).toBe(0)
    expect(await damageOf(world.data)).toEqual([])
  })

  test('agents say so, keep what they have, and go on by themselves; a gateway killed meanwhile starts again', async () => {
    const { world, disk } = await smallGateway(24)
    await using _ = world
    using __ = disk
    const [laptop, desktop] = await world.pair()
    disk.fill(256 * KIB)
    for (let n = 0; n < 200; n += 1) writeFileSync(laptop.path(`file ${n}`), randomBytes(20 * KIB))
    await until('it to be said', async () => /no space left/.test((await laptop.status()).lastError ?? ''), 30)
    expect(await laptop.status()).toMatchObject({ inSync: false })
    expect(filesIn(laptop.folder)).toBe(200)
    expect(world.gateway.running).toBe(true)
    await world.gateway.kill()
    disk.free()
    await world.startGateway()
    for (const device of [laptop, desktop]) await device.settle(40)
    await expectSame(laptop, desktop)
    expect(filesIn(desktop.folder)).toBe(200)
    expect(await world.gateway.stop()).toBe(0)
    expect(await damageOf(world.data)).toEqual([])
  })

  test("a gateway that starts on a full disk says why it can't, or runs; its data stays whole", async () => {
    const { world, disk } = await smallGateway(24)
    await using _ = world
    using __ = disk
    await using client = await Client.enrol(world.url, 'eve@example.org', 'x')
    expect(await client.change([creating('kept', 'kept')], [bytesOf('kept')])).toMatchObject({ tag: 'Changed' })
    await world.gateway.kill()
    disk.fill()
    const started = await world.startGateway().catch((error: unknown) => String(error))
    if (started !== undefined) expect(started).toMatch(/no space|full|ENOSPC/i)
    if (world.gateway.running) await world.gateway.kill()
    disk.free()
    await world.startGateway()
    await client.line.connected()
    expect(await client.change([creating('after', 'after')], [bytesOf('after')])).toMatchObject({
      tag: 'Changed',
      outcomes: [{ status: 200 }],
    })
    expect(await world.gateway.stop()).toBe(0)
    expect(await damageOf(world.data)).toEqual([])
  })
})

describe("a device's disk is full", () => {
  test('its folder: named paths, lastError, nothing half there; the rest of the folder, and the other devices, go on', async () => {
    await using world = await World.create()
    const laptop = await world.device('laptop')
    const desktop = await world.device('desktop')
    using disk = new SmallDisk(desktop.folder, 8)
    for (const device of [laptop, desktop]) await device.start()
    await laptop.settle()
    writeFileSync(laptop.path('large'), randomBytes(12 * MIB))
    mkdirSync(laptop.path('small'))
    for (let n = 0; n < 20; n += 1) writeFileSync(join(laptop.folder, 'small', `${n}`), `${n}`)
    const status = await until(
      'it to be said',
      async () => {
        const now = await desktop.status()
        return now.problems.some(({ path }) => path === 'large') && now
      },
      30,
    )
    expect(status).toMatchObject({
      inSync: false,
      problems: [{ path: 'large', reason: expect.stringMatching(/no space/) as string }],
      lastError: expect.stringMatching(/no space/) as string,
    })
    await until('the small ones', () => filesIn(desktop.folder) === 20)
    disk.fill()
    writeFileSync(join(laptop.folder, 'small', '0'), 'changed')
    await until('the change to be known', async () => (await desktop.status()).problems.length === 2, 30)
    expect(desktop.tree.filter((line) => line.startsWith('"large"'))).toEqual([])
    expect(await laptop.status()).toMatchObject({ problems: [] })
    disk.free()
    disk.grow(32)
    await until('all of it to come', async () => (await desktop.status()).inSync, 60)
    await expectSame(laptop, desktop)
  })

  test('its state: it stops or waits, says so, and nothing is lost', async () => {
    await using world = await World.create()
    const laptop = await world.device('laptop')
    const desktop = await world.device('desktop')
    await laptop.start()
    using disk = new SmallDisk(desktop.state, 8)
    await desktop.register()
    await desktop.start()
    writeFileSync(desktop.path('before'), 'x')
    await expectSame(laptop, desktop)
    disk.fill()
    for (let n = 0; n < 300; n += 1) {
      writeFileSync(laptop.path(`theirs ${n}`), `${n}`)
      writeFileSync(desktop.path(`mine ${n}`), `${n}`)
    }
    const said = await until(
      'it to be said',
      async () => {
        if (!desktop.agent.running) return desktop.agent.lines.join('\n')
        const status = await desktop.status().catch(() => undefined)
        return status?.lastError ?? false
      },
      40,
    )
    expect(said).toMatch(/full|no space/i)
    for (let n = 0; n < 300; n += 1) expect(desktop.tree.some((line) => line.startsWith(`"mine ${n}" file`))).toBe(true)
    disk.free()
    if (desktop.agent.running) await desktop.agent.kill()
    await desktop.start()
    await desktop.settle(40)
    await expectSame(laptop, desktop)
    expect(filesIn(laptop.folder)).toBe(601)
  })
})
