import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { enrol, gatewayWorld, bytesOf, creating, type World } from '../../../test/support/gateway.ts'
import { encodeRetentionEvent } from '../../protocol/event-codec.ts'
import { sha256 } from '../../protocol/hash.ts'

const never = (): boolean => false

/** As a run of retention does; the gateways' states learn of it when they look. */
const retireOne = async ({ gateway, storage }: World): Promise<void> => {
  const last = storage.streams.get('packs')?.at(-1)
  if (last === undefined) throw new Error('nothing is packed')
  const event = encodeRetentionEvent({ type: 'PackRetiring', run: 'r', pack: null, chunks: [sha256('gone')] })
  const { revision, metadata, chain } = last
  const appended = await gateway.deps.log.append('packs', revision, [{ ...event, id: last.id.replace(/^./, 'f'), metadata, chain }])()
  expect(appended).toMatchObject({ _tag: 'Right' })
  gateway.deps.state.apply('packs', storage.streams.get('packs') ?? [])
}

/** Up to where the second gateway says that it has passed. */
const told = ({ storage }: World): readonly number[] =>
  (storage.streams.get('gateway') ?? []).flatMap(({ type, data }) => {
    const { gateway, packs } = JSON.parse(data) as { readonly gateway?: string; readonly packs?: number }
    return type === 'GatewayPassed' && gateway === 'gateway-2' && packs !== undefined ? [packs] : []
  })

/** Two gateways on one log, both started; and something in the stream of packs that both have to pass. */
const two = async () => {
  const world = await gatewayWorld({ shared: true })
  const other = await world.another({ instance: 'gateway-2' })
  const laptop = await enrol(world, 1)
  await world.gateway.presence.started()
  await other.presence.started()
  await laptop.change([creating('a', 'one'), creating('b', 'two')], { contents: [bytesOf('one'), bytesOf('two')] })
  const stop = new AbortController()
  const following = other.follow(stop.signal)
  return { world, other, laptop, end: () => (stop.abort(), following) }
}

describe('gateways that share a log', () => {
  it('wait for each other before anything that was retired is removed, and name the one that does not answer', async () => {
    const { world, end } = await two()
    // Where nothing is retired there is nothing to wait for.
    expect(await world.gateway.presence.allPassed(never)).toMatchObject({ _tag: 'Right' })
    await end()
    await retireOne(world)
    const waiting = await world.gateway.presence.allPassed(never)
    expect(waiting).toMatchObject({ left: { tag: 'Waiting' } })
    expect(JSON.stringify(waiting)).toContain('gateway-2')
  })

  it('go on when the other, which follows the log, has seen it, whatever is stored since', async () => {
    const { world, laptop, end } = await two()
    await retireOne(world)
    await laptop.change([creating('c', 'three')], { contents: [bytesOf('three')] })
    // The other one tells it by itself.
    while (!told(world).some((packs) => packs >= 1)) await turn()
    expect(await world.gateway.presence.allPassed(never)).toMatchObject({ _tag: 'Right' })
    await end()
  })

  it('go on when the other has passed what it saw', async () => {
    const { world, other, end } = await two()
    await end()
    await retireOne(world)
    other.deps.state.apply('packs', world.storage.streams.get('packs') ?? [])
    await other.presence.pass()
    expect(await world.gateway.presence.allPassed(never)).toMatchObject({ _tag: 'Right' })
  })

  it('do not wait for one that has stopped, or that a person gave up', async () => {
    for (const leave of ['stopped', 'gone'] as const) {
      const { world, other, end } = await two()
      await end()
      await retireOne(world)
      await (leave === 'stopped' ? other.presence.stopped() : world.gateway.presence.gone('gateway-2'))
      expect(await world.gateway.presence.allPassed(never)).toMatchObject({ _tag: 'Right' })
    }
  })
})
