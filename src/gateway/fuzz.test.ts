import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesOf, creating, enrol, gatewayWorld, newPeer } from '../../test/support/gateway.ts'
import { parseJson, type JsonObject } from '../protocol/json.ts'
import { ACTIONS } from '../protocol/messages.ts'
import { encodeRequest } from '../protocol/request.ts'

describe('requests from outside', () => {
  it('whatever they are, they are answered, and change nothing', async () => {
    const world = await gatewayWorld({ settings: { passwordClients: 'allow' } })
    const laptop = await enrol(world, 1)
    const length = world.storage.all.length
    const anyMessage = fc
      .tuple(
        fc.constantFrom(...ACTIONS, 'x'),
        fc.dictionary(fc.constantFrom('Agent', 'File', 'Folder', 'Changes', 'Position', 'Signature', 'Nonce'), fc.jsonValue()),
      )
      .map(([action, rest]) => ({ Action: action, ...rest }))
    await fc.assert(
      fc.asyncProperty(anyMessage, fc.uint8Array({ maxLength: 20 }), fc.boolean(), async (message, payload, plain) => {
        const { message: answer } = await world.gateway.handle(
          { message, payload },
          plain ? newPeer(true) : laptop.peer,
          new AbortController().signal,
        )
        expect(answer['Status']).toBeGreaterThanOrEqual(400)
        expect(answer['Status']).toBeLessThan(500)
        expect(typeof answer['Reason']).toBe('string')
      }),
      { numRuns: 1500 },
    )
    expect(world.storage.all).toHaveLength(length)
    expect(world.faults).toEqual([])
  })

  it('one wrong byte in a good message is refused, or changes nothing that was signed', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const { batch, payload } = laptop.sign([creating('a', 'one')], { contents: [bytesOf('one')] })
    const text = JSON.stringify(encodeRequest({ tag: 'Changes', key: laptop.key, batch }, 1))
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), async (at, letter) => {
        const message = parse(text.slice(0, at) + letter + text.slice(at + 1))
        if (message === undefined) return
        const { message: answer } = await world.gateway.handle({ message, payload }, laptop.peer, new AbortController().signal)
        expect([200, 400, 403]).toContain(answer['Status'])
      }),
      { numRuns: 1000 },
    )
    expect(world.faults).toEqual([])
    const files = world.storage.all.filter(({ type }) => type === 'FileCreated')
    expect(files.length).toBeLessThanOrEqual(1)
    for (const { data } of files) expect(parseJson(data)).toMatchObject({ change: parseJson(batch.canonical[0] ?? '') })
  })
})

const parse = (text: string): JsonObject | undefined => {
  const json = parseJson(text)
  // Neither null nor a list: an object.
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : undefined
}
