import { describe, expect, it } from 'vitest'
import { ask, enrol, gatewayWorld, newPeer } from '../../test/support/gateway.ts'
import { brokerPasswordText, createKeyPair } from '../protocol/signing.ts'
import { createBrokerUsers } from './broker-users.ts'

const KEY = '6C19A781148814833ED25840B7A07BA7'
const USER = { Email: 'usuario01@pysync.com', Password: 'D1A5FF8DBEEDAA3406368724EBBD3CB0' }

const plainWorld = async (passwordClients: 'allow' | 'refuse') => {
  const world = await gatewayWorld({ settings: { passwordClients: 'allow' } })
  const send = (action: string, key = KEY, peer = newPeer(true)) =>
    world.gateway.handle(
      { message: { Action: action, Timestamp: 1, Agent: { Key: key, User: USER } }, payload: new Uint8Array(0) },
      peer,
      new AbortController().signal,
    )
  await send('RegisterUser')
  await send('RegisterAgent')
  const { deps } = world.gateway
  return {
    world,
    send,
    users: createBrokerUsers({ ...deps, settings: { ...deps.settings, passwordClients } }, world.gateway.refusedSignIns),
  }
}

describe('agents as users of a message broker', () => {
  it("an agent's password is its own signature, and no other", async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const signer = createKeyPair(Buffer.alloc(32, 1))
    const users = createBrokerUsers(world.gateway.deps, world.gateway.refusedSignIns)
    expect(users.kindOf(laptop.key)).toBe('agent')
    expect(await users.check(laptop.key, signer.sign(brokerPasswordText(laptop.key)))).toBe(true)
    const other = createKeyPair(Buffer.alloc(32, 2))
    for (const wrong of ['', 'secret', other.sign(brokerPasswordText(laptop.key)), signer.sign(brokerPasswordText(other.key))])
      expect(await users.check(laptop.key, wrong)).toBe(false)
    expect(users.kindOf(other.key)).toBeUndefined()
    expect(await users.check(other.key, other.sign(brokerPasswordText(other.key)))).toBe(false)
  })

  it('a revoked agent is nobody', async () => {
    const world = await gatewayWorld()
    const [laptop, phone] = [await enrol(world, 1), await enrol(world, 2)]
    const users = createBrokerUsers(world.gateway.deps, world.gateway.refusedSignIns)
    const peer = newPeer()
    peer.agent = laptop.key
    await ask(world, peer, { tag: 'RevokeAgent', key: laptop.key, target: phone.key, reason: 'lost' })
    expect(users.kindOf(phone.key)).toBeUndefined()
    expect(await users.check(phone.key, createKeyPair(Buffer.alloc(32, 2)).sign(brokerPasswordText(phone.key)))).toBe(false)
  })

  it("a PySync client's is its account's password, where the operator allows such clients; guesses are limited", async () => {
    const { users } = await plainWorld('allow')
    expect(users.kindOf(KEY)).toBe('plain')
    expect(await users.check(KEY, USER.Password)).toBe(true)
    for (let guesses = 0; guesses < 20; guesses += 1) expect(await users.check(KEY, `guess ${guesses}`)).toBe(false)
    // What was right lately is still known.
    expect(await users.check(KEY, USER.Password)).toBe(true)
    const strict = (await plainWorld('refuse')).users
    expect(strict.kindOf(KEY)).toBeUndefined()
    expect(await strict.check(KEY, USER.Password)).toBe(false)
  })

  it('a message that names another agent than the broker does is refused', async () => {
    const { send } = await plainWorld('allow')
    const peer = newPeer(true)
    // What the broker vouches for.
    peer.agent = createKeyPair(Buffer.alloc(32, 3)).key
    expect((await send('Sync', KEY, peer)).message).toMatchObject({ Status: 403, Code: 'agent' })
    expect((await send('Sync', KEY)).message).toMatchObject({ Status: 200 })
  })

  it('makes a bounded number of queues a minute, each user by itself', async () => {
    const { gateway } = await gatewayWorld()
    const users = createBrokerUsers(gateway.deps, gateway.refusedSignIns)
    const made = Array.from({ length: 100 }, () => users.mayDeclare('A'))
    expect(made.filter(Boolean)).toHaveLength(30)
    expect(users.mayDeclare('B')).toBe(true)
  })
})
