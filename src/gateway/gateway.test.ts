import { describe, expect, it } from 'vitest'
import { bytesOf, chunkOf, creating, enrol, gatewayWorld } from '../../test/support/gateway.ts'

describe('the gateway', () => {
  it('takes a change in, tells of it, and gives its content', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    const changed = await laptop.change([creating('d/a', 'hello')], { contents: [bytesOf('hello')] })
    expect(changed).toMatchObject({ tag: 'Changed', status: 200, position: 2, outcomes: [{ status: 200, revision: 2, path: 'd/a' }] })
    expect(world.told).toEqual([{ keys: [desktop.key], folder: laptop.folder, position: 2 }])
    const synced = await desktop.sync()
    expect(synced).toMatchObject({
      tag: 'Synced',
      position: 2,
      head: 2,
      more: false,
      since: '',
      entries: [
        { path: 'd', version: 1 },
        { path: 'd/a', version: 2 },
      ],
    })
    const { hash } = chunkOf(bytesOf('hello'))
    const opened = await desktop.open(2, [hash])
    expect(opened.answer).toMatchObject({ tag: 'Opened', chunks: [{ hash, size: 5 }], missing: [] })
    expect(Buffer.from(opened.payload).toString()).toBe('hello')
  })
})
