import { describe, expect, it } from 'vitest'
import { ask, enrol, gatewayWorld, newPeer, type World } from '../../test/support/gateway.ts'
import type { AppendOutcome } from '../eventlog/memory.ts'
import { accountIdOf } from '../protocol/event-ids.ts'
import { createKeyPair, registrationProofText } from '../protocol/signing.ts'
import { createBrokerUsers } from './broker-users.ts'

const EMAIL = 'a@b.c'
const ACCOUNT = accountIdOf(EMAIL)
const stranger = createKeyPair(Buffer.alloc(32, 9))

const guess = async (world: World, email = EMAIL, address = '192.0.2.1') =>
  (
    await ask(world, newPeer(false, address), {
      tag: 'RegisterAgent',
      key: stranger.key,
      email,
      password: 'wrong',
      name: 'n',
      publicKey: stranger.publicKey,
      proof: stranger.sign(registrationProofText(email, stranger.publicKey)),
      vouchedBy: undefined,
      countersignature: undefined,
    })
  ).answer

const told = (world: World, stream = `account-${ACCOUNT}`): unknown[] =>
  (world.storage.streams.get(stream) ?? []).filter(({ type }) => type === 'SignInsRefused').map(({ data }) => JSON.parse(data) as unknown)

/** So many minutes pass at the gateway. */
const minutes = async (world: World, count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 1) {
    world.clock.advance(60_000)
    await world.gateway.refusedSignIns.flush()
  }
}

describe('refused sign-ins', () => {
  it('are one event a minute, however many they were', async () => {
    const world = await gatewayWorld()
    await enrol(world, 1)
    const first = world.clock.wall()
    for (let i = 0; i < 15; i += 1) await guess(world)
    world.clock.advance(2000)
    for (let i = 0; i < 5; i += 1) await guess(world)
    expect(told(world)).toEqual([])
    await minutes(world, 3)
    expect(told(world)).toEqual([
      {
        v: 1,
        account: ACCOUNT,
        count: 20,
        first,
        last: first + 2000,
        reasons: { password: 10, tooMany: 10 },
        addresses: ['192.0.2.1'],
        tried: [stranger.key],
      },
    ])
    await guess(world)
    await minutes(world, 1)
    expect(told(world)).toMatchObject([{ count: 20 }, { count: 1 }])
  })

  it('tell what was wrong: the signature, the nonce, an agent that was revoked', async () => {
    const world = await gatewayWorld()
    const [laptop, phone] = [await enrol(world, 1), await enrol(world, 2)]
    const peer = newPeer()
    await ask(world, peer, { tag: 'SignIn', key: laptop.key, nonce: peer.nonce, signature: laptop.signer.sign('x') })
    await ask(world, peer, { tag: 'SignIn', key: laptop.key, nonce: laptop.peer.nonce, signature: laptop.signer.sign('x') })
    await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: phone.key, reason: 'lost' })
    expect(await phone.signIn(newPeer())).toMatchObject({ code: 'revoked' })
    await minutes(world, 1)
    expect(told(world)).toMatchObject([{ count: 3, reasons: { signature: 2, revoked: 1 }, tried: [laptop.key, phone.key] }])
  })

  it('of nobody here are told together, without the address that was tried', async () => {
    const world = await gatewayWorld()
    const peer = newPeer()
    await ask(world, peer, { tag: 'SignIn', key: stranger.key, nonce: peer.nonce, signature: stranger.sign('x') })
    await guess(world, 'Nobody@b.c')
    await minutes(world, 1)
    expect(told(world, 'gateway')).toMatchObject([
      { account: null, count: 2, reasons: { agent: 1, password: 1 }, tried: [stranger.key, accountIdOf('nobody@b.c')] },
    ])
    expect(world.storage.all.map(({ data, metadata }) => data + metadata).join('\n')).not.toMatch(/nobody@/i)
  })

  it('name a few addresses of many', async () => {
    const world = await gatewayWorld()
    await enrol(world, 1)
    for (let i = 0; i < 30; i += 1) await guess(world, EMAIL, `192.0.2.${i}`)
    await minutes(world, 1)
    const [event] = told(world)
    expect(event).toMatchObject({ count: 30, addresses: Array.from({ length: 8 }, (_, i) => `192.0.2.${i}`) })
  })

  it('count a password that is wrong at the broker, and one for an account that there is', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const users = createBrokerUsers(world.gateway.deps, world.gateway.refusedSignIns)
    expect(await users.check(laptop.key, 'wrong')).toBe(false)
    expect(await users.check('somebody', 'wrong')).toBe(false)
    await ask(world, newPeer(), { tag: 'RegisterUser', email: EMAIL, password: 'wrong' })
    await minutes(world, 1)
    expect(told(world)).toMatchObject([{ count: 2, reasons: { signature: 1, password: 1 }, tried: [laptop.key] }])
    expect(told(world, 'gateway')).toMatchObject([{ count: 1, reasons: { agent: 1 }, addresses: [], tried: [] }])
  })

  it('are counted on while the log is down, and answered all the same', async () => {
    let down = false
    const world = await gatewayWorld({ log: { outcome: (): AppendOutcome => (down ? 'unavailable' : 'ok') } })
    await enrol(world, 1)
    down = true
    expect(await guess(world)).toMatchObject({ code: 'password' })
    await guess(world, 'nobody@b.c')
    await minutes(world, 2)
    await guess(world)
    down = false
    await minutes(world, 1)
    expect(told(world)).toMatchObject([{ count: 2, reasons: { password: 2 } }])
    expect(told(world, 'gateway')).toMatchObject([{ count: 1 }])
  })

  it('are told when the gateway stops, and change nothing that a restarted one knows', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await guess(world)
    await guess(world, 'nobody@b.c')
    await world.gateway.drain()
    expect([told(world), told(world, 'gateway')]).toMatchObject([[{ count: 1 }], [{ count: 1 }]])
    await world.restart()
    expect(await laptop.signIn(newPeer())).toMatchObject({ status: 200 })
  })

  it('are told by the loop each minute until it is stopped', async () => {
    const world = await gatewayWorld()
    await enrol(world, 1)
    const stop = new AbortController()
    let passed = 0
    const sleep = async (ms: number): Promise<void> => {
      expect(ms).toBe(60_000)
      if ((passed += 1) > 2) stop.abort()
      await guess({ ...world, gateway: looping })
    }
    const looping = await world.another({ clock: { ...world.clock, sleep } })
    await looping.runMinutely(stop.signal)
    expect(told(world)).toMatchObject([{ count: 1 }, { count: 1 }])
  })
})
