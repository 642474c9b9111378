import { describe, expect, it } from 'vitest'
import { enrol, gatewayWorld, bytesOf, creating } from '../../../test/support/gateway.ts'

const never = (): boolean => false

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
  return { world, other, end: () => (stop.abort(), following) }
}

describe('gateways that share a log', () => {
  it('wait for each other before anything that was retired is removed, and name the one that does not answer', async () => {
    const { world, end } = await two()
    expect(await world.gateway.presence.allPassed(never)).toMatchObject({ left: { tag: 'Waiting' } })
    const waiting = await world.gateway.presence.allPassed(never)
    expect(JSON.stringify(waiting)).toContain('gateway-2')
    await end()
  })

  it('go on when the other has passed what it saw', async () => {
    const { world, other, end } = await two()
    await end()
    await world.gateway.presence.pass()
    other.deps.state.apply('packs', world.storage.streams.get('packs') ?? [])
    await other.presence.pass()
    expect(await world.gateway.presence.allPassed(never)).toMatchObject({ _tag: 'Right' })
  })

  it('do not wait for one that has stopped, or that a person gave up', async () => {
    for (const leave of ['stopped', 'gone'] as const) {
      const { world, other, end } = await two()
      await end()
      await (leave === 'stopped' ? other.presence.stopped() : world.gateway.presence.gone('gateway-2'))
      expect(await world.gateway.presence.allPassed(never)).toMatchObject({ _tag: 'Right' })
    }
  })
})
