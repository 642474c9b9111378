import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, it } from 'vitest'
import { ask, enrol, gatewayWorld, newPeer } from '../../test/support/gateway.ts'
import type { RecordedEvent } from '../eventlog/port.ts'
import { accountIdOf } from '../protocol/event-ids.ts'
import { createKeyPair } from '../protocol/signing.ts'
import { accountEvents, type Cursors } from './account-events.ts'

const ACCOUNT = accountIdOf('a@b.c')

const world = async () => {
  const made = await gatewayWorld()
  const laptop = await enrol(made, 1)
  const refuse = async (key: typeof laptop.key): Promise<void> => {
    made.clock.advance(1000)
    const peer = newPeer()
    await ask(made, peer, { tag: 'SignIn', key, nonce: peer.nonce, signature: laptop.signer.sign('x') })
    await made.gateway.refusedSignIns.flush()
  }
  return { made, laptop, refuse }
}

const read = async (log: Parameters<typeof accountEvents>[0], gateways: boolean, cursors?: Cursors) => {
  const told: string[] = []
  for await (const event of accountEvents(log, ACCOUNT, gateways, cursors))
    told.push(E.isLeft(event) ? event.left.reason : `${event.right.stream.slice(0, 7)} ${event.right.event.type}`)
  return told
}

describe("an account's own events", () => {
  it('come in the order of time, with those of the gateways where these can be read', async () => {
    const { made, laptop, refuse } = await world()
    const nobody = createKeyPair(Buffer.alloc(32, 9)).key
    for (const key of [laptop.key, nobody, laptop.key]) await refuse(key)
    const { log } = made.gateway.deps
    const registered = ['account AccountRegistered', 'account AgentRegistered']
    expect(await read(log, true)).toEqual([...registered, 'account SignInsRefused', 'gateway SignInsRefused', 'account SignInsRefused'])
    expect(await read(log, false)).toEqual([...registered, 'account SignInsRefused', 'account SignInsRefused'])
  })

  it('go on from where somebody has read them to', async () => {
    const { made, laptop, refuse } = await world()
    const cursors = new Map<string, number>()
    const { log } = made.gateway.deps
    expect(await read(log, true, cursors)).toHaveLength(2)
    expect(await read(log, true, cursors)).toEqual([])
    await refuse(laptop.key)
    expect(await read(log, true, cursors)).toEqual(['account SignInsRefused'])
  })

  it('leave out where streams stand, and go on over pages', async () => {
    const { made, laptop, refuse } = await world()
    for (let i = 0; i < 70; i += 1) await refuse(laptop.key)
    const stop = new AbortController()
    const sleep = async (): Promise<void> => (made.storage.streams.has('gateway') ? stop.abort() : undefined)
    const hourly = await made.another({ clock: { ...made.clock, sleep } })
    await hourly.runHourly(stop.signal)
    expect(await read(made.gateway.deps.log, true)).toHaveLength(72)
  })

  it('end at one that cannot be read', async () => {
    const { made } = await world()
    const { log } = made.gateway.deps
    const strange: typeof log.read = (stream, from, max) =>
      TE.map((events: readonly RecordedEvent[]) =>
        events.map((event) => ({ ...event, type: event.type.replace('AgentRegistered', 'AgentPainted') })),
      )(log.read(stream, from, max))
    expect(await read({ read: strange, last: (stream) => log.last(stream) }, true)).toEqual([
      'account AccountRegistered',
      `the event 1 of account-${ACCOUNT} cannot be read`,
    ])
  })
})
