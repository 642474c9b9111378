import { describe, expect, it } from 'vitest'
import { bytesOf, enrol, gatewayWorld, newPeer, creating, type World } from '../../../test/support/gateway.ts'
import type { Json, JsonObject } from '../../protocol/json.ts'
import { NO_BYTES, type Peer } from '../../transport/port.ts'

const KEY = '6C19A781148814833ED25840B7A07BA7'
const USER = { Email: 'usuario01@pysync.com', Password: 'D1A5FF8DBEEDAA3406368724EBBD3CB0' }

/** A client written from PySync's documents alone. */
const pysync = async (world: World, key = KEY, user = USER) => {
  const peer: Peer = newPeer(true)
  const send = async (message: JsonObject, payload: Uint8Array = NO_BYTES) =>
    world.gateway.handle({ message, payload }, peer, new AbortController().signal)
  const act = async (action: string, file?: Json) =>
    (
      await send({
        Action: action,
        Timestamp: 1604061231.0383,
        Agent: { Key: key, User: user },
        ...(file === undefined ? {} : { File: file }),
      })
    ).message
  const bytes = async (...pieces: readonly Uint8Array[]) => {
    let last: JsonObject = {}
    for (const piece of pieces) last = (await send({ Action: 'Bytes' }, piece)).message
    return last
  }
  const open = async (name: string) => {
    const { message, payload } = await send({ Action: 'Open', Timestamp: 1, Agent: { Key: key, User: user }, File: { Name: name } })
    return { status: message['Status'], text: Buffer.from(payload).toString() }
  }
  await act('RegisterUser')
  await act('RegisterAgent')
  return { act, bytes, open, peer }
}

const allowed = () => gatewayWorld({ settings: { passwordClients: 'allow' } })

describe('PySync clients', () => {
  it('create, open, update, list and delete as their documents say', async () => {
    const world = await allowed()
    const client = await pysync(world)
    expect(await client.act('Create', { OriginalName: 'Arquivo01.txt', Size: '5' })).toMatchObject({
      Action: 'ServerResponse',
      Status: 100,
    })
    expect(await client.bytes(bytesOf('hel'), bytesOf('lo'))).toMatchObject({ Status: 200 })
    expect(await client.open('Arquivo01.txt')).toEqual({ status: 200, text: 'hello' })
    const listed = await client.act('Sync')
    expect(listed).toMatchObject({
      Status: 200,
      Changes: { Created: [{ OriginalName: 'Arquivo01.txt', Size: '5' }], Updated: [], Deleted: [] },
    })
    const [{ Name: id } = { Name: '' }] = (listed['Changes'] as JsonObject)['Created'] as readonly { Name: string }[]
    expect(await client.act('Update', { Name: id.toUpperCase(), Size: 7 })).toMatchObject({ Status: 100 })
    expect(await client.bytes(bytesOf('goodbye'))).toMatchObject({ Status: 200 })
    expect(await client.open(id)).toEqual({ status: 200, text: 'goodbye' })
    expect(await client.act('Sync')).toMatchObject({
      Changes: { Created: [], Updated: [{ OriginalName: 'Arquivo01.txt', Size: '7' }], Deleted: [] },
    })
    expect(await client.act('Delete', id)).toMatchObject({ Status: 200 })
    expect(await client.act('Sync')).toMatchObject({ Changes: { Created: [], Updated: [], Deleted: [{ OriginalName: 'Arquivo01.txt' }] } })
    expect(await client.act('Sync')).toMatchObject({ Changes: { Created: [], Updated: [], Deleted: [] } })
    for (const action of ['Open', 'Update']) expect(await client.act(action, { Name: id, Size: '1' })).toMatchObject({ Status: 404 })
    expect(await client.act('Delete', id)).toMatchObject({ Status: 404 })
  })

  it('their events say that a password alone proves them', async () => {
    const world = await allowed()
    const client = await pysync(world)
    await client.act('Create', { OriginalName: 'a', Size: '0' })
    expect(JSON.parse(world.storage.all.at(-1)?.metadata ?? '')).toMatchObject({ agent: KEY, proof: 'password' })
  })

  it('a large content goes through in pieces, in chunks', async () => {
    const world = await allowed()
    const client = await pysync(world)
    const bytes = Buffer.alloc(9_000_000, 'some text that repeats itself, over and over')
    await client.act('Create', { OriginalName: 'large', Size: String(bytes.length) })
    const pieces = [bytes.subarray(0, 4_000_000), bytes.subarray(4_000_000, 8_000_000), bytes.subarray(8_000_000)]
    expect(await client.bytes(...pieces)).toMatchObject({ Status: 200 })
    expect((await client.open('large')).text).toBe(bytes.toString())
  })

  it('the last writer wins, and history keeps the rest', async () => {
    const world = await allowed()
    const client = await pysync(world)
    const laptop = await enrol(world, 1, USER.Email, USER.Password)
    await laptop.change([creating('a', 'mine')], { contents: [bytesOf('mine')] })
    await client.act('Create', { OriginalName: 'a', Size: '6' })
    expect(await client.bytes(bytesOf('theirs'))).toMatchObject({ Status: 200 })
    expect(await laptop.sync(1)).toMatchObject({ entries: [{ path: 'a', version: 2 }] })
  })

  it('are refused where the operator has not allowed them', async () => {
    const world = await gatewayWorld()
    const client = await pysync(world)
    expect(await client.act('Sync')).toMatchObject({ Status: 403, Code: 'passwordClients' })
    expect(await client.act('RegisterAgent')).toMatchObject({ Status: 403, Code: 'passwordClients' })
  })

  it('a wrong password, an unknown agent, and an agent with a key are refused', async () => {
    const world = await allowed()
    const client = await pysync(world)
    const laptop = await enrol(world, 1, USER.Email, USER.Password)
    const act = async (key: string, password: string) =>
      (
        await world.gateway.handle(
          { message: { Action: 'Sync', Timestamp: 1, Agent: { Key: key, User: { ...USER, Password: password } } }, payload: NO_BYTES },
          newPeer(true),
          new AbortController().signal,
        )
      ).message
    expect(await client.act('Sync')).toMatchObject({ Status: 200 })
    expect(await act(KEY, 'wrong')).toMatchObject({ Status: 403, Code: 'password' })
    expect(await act('F'.repeat(32), USER.Password)).toMatchObject({ Status: 403, Code: 'agent' })
    expect(await act(laptop.key, USER.Password)).toMatchObject({ Status: 403, Code: 'agent' })
  })

  it('more bytes than announced are refused, and so are bytes that nobody asked for', async () => {
    const world = await allowed()
    const client = await pysync(world)
    await client.act('Create', { OriginalName: 'a', Size: '3' })
    expect(await client.bytes(bytesOf('four'))).toMatchObject({ Status: 400 })
    expect(await client.bytes(bytesOf('x'))).toMatchObject({ Status: 400 })
    expect(await client.open('a')).toMatchObject({ status: 404 })
  })

  it('a new request ends what was being sent', async () => {
    const world = await allowed()
    const client = await pysync(world)
    await client.act('Create', { OriginalName: 'a', Size: '3' })
    expect(await client.bytes(bytesOf('x'))).toEqual({})
    expect(await client.act('Create', { OriginalName: 'b', Size: '2' })).toMatchObject({ Status: 100 })
    expect(await client.bytes(bytesOf('ok'))).toMatchObject({ Status: 200 })
    expect(await client.open('a')).toMatchObject({ status: 404 })
  })

  it('a file larger than the limit is not opened whole', async () => {
    const world = await gatewayWorld({
      settings: { passwordClients: 'allow', limits: { attempts: { burst: 10, perMinute: 6 }, queue: 10, plainOpenBytes: 3 } },
    })
    const client = await pysync(world)
    await client.act('Create', { OriginalName: 'a', Size: '4' })
    await client.bytes(bytesOf('four'))
    expect(await client.open('a')).toMatchObject({ status: 413 })
  })
})
