import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Change } from '../../src/domain/change.ts'
import type { Chunk, Content } from '../../src/domain/content.ts'
import { encodeManifest } from '../../src/protocol/manifest.ts'
import { contentHash } from '../../src/protocol/merkle.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import { verifyReceipt } from '../../src/protocol/receipt.ts'
import { createKeyPair } from '../../src/protocol/signing.ts'
import { path } from '../support/disk.ts'
import { bytesOf, chunkOf, creating, textFile, updating } from '../support/gateway.ts'
import { World } from '../support/world.ts'
import { Client } from './support/client.ts'

const SECRET = 'what only Ada may read, and nobody else'

let world: World
let ada: Client
let eve: Client
beforeAll(async () => {
  world = await World.create()
  ada = await Client.enrol(world.url, 'ada2@example.org', 'x')
  eve = await Client.enrol(world.url, 'eve@example.org', 'x')
  expect(await ada.change([creating('secret', SECRET)], [bytesOf(SECRET)])).toMatchObject({ tag: 'Changed', outcomes: [{ status: 200 }] })
})
afterAll(async () => {
  await ada[Symbol.asyncDispose]()
  await eve[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const headOf = async (client: Client): Promise<number> => {
  const answer = await client.sync()
  return answer.tag === 'Synced' ? answer.head : NaN
}

const fileOf = (chunks: readonly Chunk[], more: Partial<Content> = {}): Content => ({
  kind: 'file',
  size: chunks.reduce((sum, { size }) => sum + size, 0),
  hash: contentHash(chunks),
  manifest: { tag: 'chunks', chunks },
  executable: false,
  modified: '1000000',
  ...more,
})
const putting = (at: string, content: Content): Change => ({ tag: 'create', path: path(at), content, base: 'any' })

/** A content with a manifest object, and what it is made of. */
const large = (chunks: readonly Chunk[]) => {
  const object = encodeManifest(chunks)
  const content = fileOf(chunks, { manifest: { tag: 'object', hash: sha256(object), size: object.length } })
  return { object, content }
}
const manyChunks = (seed: string): { readonly bytes: Buffer[]; readonly chunks: Chunk[] } => {
  const bytes = Array.from({ length: 40 }, (_, n) => bytesOf(`${seed} ${n}`))
  return { bytes, chunks: bytes.map(chunkOf) }
}

const missed = (...hashes: string[]): object => ({ tag: 'SendChunks', status: 100, missing: hashes })
const wrong = { tag: 'Changed', outcomes: [{ status: 400, code: 'hash' }] }

test('a foreign hash gives nothing: not its content, and not the word that there is such a one', async () => {
  const { hash } = textFile(SECRET)
  const nobodys = textFile('what nobody has ever stored').hash
  expect(await eve.missing([hash, nobodys])).toEqual({ tag: 'MissingChunks', status: 200, missing: [hash, nobodys] })
  expect(await eve.change([creating('stolen', SECRET)])).toEqual(missed(hash))
  expect(await eve.change([creating('stolen', SECRET), creating('other', 'what nobody has ever stored')])).toEqual(missed(hash, nobodys))
  expect((await eve.open(1, [hash])).answer).toMatchObject({ status: 404 })
  expect((await eve.open(1, [hash], ada.folder)).answer).toMatchObject({ status: 403, code: 'folder' })
  expect(await headOf(eve)).toBe(0)
  // Whoever has the bytes may have them again, and still reads no more than what they sent.
  expect(await eve.upload([bytesOf(SECRET)])).toMatchObject({ tag: 'Done' })
  expect(await eve.missing([hash])).toMatchObject({ missing: [] })
})

test('a version gives its own chunks alone', async () => {
  await eve.change([creating('mine', 'mine'), creating('mine too', 'mine too')], [bytesOf('mine'), bytesOf('mine too')])
  const synced = await eve.sync()
  const version = synced.tag === 'Synced' ? (synced.entries.find(({ path: at }) => at === 'mine')?.version ?? -1) : -1
  expect((await eve.open(version, [textFile('mine').hash])).payload.toString()).toBe('mine')
  for (const text of ['mine too', SECRET]) expect((await eve.open(version, [textFile(text).hash])).answer).toMatchObject({ status: 404 })
  for (const other of [0, 10_000, Number.MAX_SAFE_INTEGER])
    expect((await eve.open(other, [textFile('mine').hash])).answer).toMatchObject({ status: 404 })
})

test('a manifest object that names foreign chunks gives nothing of them', async () => {
  const { bytes, chunks } = manyChunks('hers')
  const hers = large(chunks)
  await ada.upload([...bytes, hers.object])
  expect(await ada.change([putting('large', hers.content)])).toMatchObject({ tag: 'Changed', outcomes: [{ status: 200 }] })
  const all = chunks.map(({ hash }) => hash)
  // The manifest's own hash is as foreign as any; and its bytes, which anybody can make who knows the hashes, lead to no chunk.
  expect(await eve.change([putting('large', hers.content)])).toEqual(missed(sha256(hers.object)))
  expect(await eve.change([putting('large', hers.content)], [hers.object])).toEqual(missed(...all))
  expect(await eve.upload([hers.object])).toMatchObject({ tag: 'Done' })
  expect(await eve.change([putting('large', hers.content)])).toEqual(missed(...all))
  const inline = fileOf([...chunks.slice(0, 3), chunkOf(bytesOf(SECRET))])
  expect(await eve.change([putting('part', inline)])).toMatchObject(missed(...all.slice(0, 3)))
})

test('what is said of a content must be true of its chunks (I6)', async () => {
  const before = await headOf(eve)
  const { bytes, chunks } = manyChunks('eve')
  const [first, second] = [bytesOf('first'), bytesOf('second')]
  expect(await eve.upload([...bytes, first, second])).toMatchObject({ tag: 'Done' })
  const lying: readonly [string, Content, readonly Uint8Array[]][] = [
    ['a stored chunk is said to be shorter', fileOf([{ ...chunkOf(first), size: 3 }]), []],
    ['a stored chunk is said to be longer', fileOf([chunkOf(first), { ...chunkOf(second), size: 7 }]), []],
    ['a chunk inside is said to be shorter', fileOf([{ ...chunkOf(bytesOf('inside')), size: 3 }]), [bytesOf('inside')]],
    [
      'a manifest with other sizes',
      large(chunks.map((chunk, n) => (n === 7 ? { ...chunk, size: chunk.size + 1 } : chunk))).content,
      [large(chunks.map((chunk, n) => (n === 7 ? { ...chunk, size: chunk.size + 1 } : chunk))).object],
    ],
    ['a manifest that makes another size', { ...large(chunks).content, size: 41 }, [large(chunks).object]],
    ['a manifest that makes another hash', { ...large(chunks).content, hash: textFile('x').hash }, [large(chunks).object]],
    [
      'a manifest that is none',
      { ...large(chunks).content, manifest: { tag: 'object', hash: chunkOf(Buffer.alloc(40 * 36)).hash, size: 40 * 36 } },
      [Buffer.alloc(40 * 36)],
    ],
    [
      'a manifest object of another size',
      { ...large(chunks).content, manifest: { tag: 'object', hash: sha256(large(chunks).object), size: 39 * 36 } },
      [large(chunks).object],
    ],
  ]
  for (const [what, content, inside] of lying) {
    const answer = await eve.change([putting('lie', content)], inside)
    expect(answer, what).toMatchObject(wrong)
  }
  expect(await eve.upload([first], [{ ...chunkOf(first), size: 4 }])).toMatchObject({ status: 400 })
  expect(await eve.upload([first, second], [chunkOf(second), chunkOf(first)])).toMatchObject({ status: 400 })
  expect(await eve.upload([bytesOf('first!')], [{ ...chunkOf(first), size: 6 }])).toMatchObject({ status: 400, code: 'hash' })
  expect(await eve.send({ ...eve.sign([creating('lie', 'abcde')], [bytesOf('abcde')]), payload: bytesOf('abcdf') })).toMatchObject({
    status: 400,
    code: 'hash',
  })
  expect(await headOf(eve)).toBe(before)
})

test('a signature speaks of one agent, folder, epoch, number and root, and of no other', async () => {
  const before = await headOf(ada)
  const content = bytesOf('signed')
  const honest = ada.sign([creating('signed', 'signed')], [content])
  const other = ada.sign([creating('something else', 'signed')], [content])
  const stranger = createKeyPair()
  const { head } = honest.batch
  const forged = [
    { ...head, folder: eve.folder },
    { ...head, epoch: 'fedcba9876543210' },
    { ...head, number: head.number + 1 },
    { ...head, previous: head.root },
    { ...head, position: 1 },
    { ...head, chain: head.root },
  ]
  const refused = { tag: 'Refused', status: 403 }
  for (const lie of forged) expect(await ada.send({ ...honest, batch: { ...honest.batch, head: lie } })).toMatchObject(refused)
  expect(
    await ada.send({ ...honest, batch: { ...honest.batch, changes: other.batch.changes, canonical: other.batch.canonical } }),
  ).toMatchObject(refused)
  expect(await ada.send({ ...honest, batch: { ...honest.batch, signature: other.batch.signature } })).toMatchObject(refused)
  expect(await ada.send(ada.sign([creating('signed', 'signed')], [content], {}, stranger))).toMatchObject(refused)
  // Eve relays what Ada has signed, on her own connection and under her own name.
  expect(await eve.line.ask({ tag: 'Changes', key: ada.signer.key, batch: honest.batch }, content)).toMatchObject(refused)
  expect(
    await eve.line.ask(
      { tag: 'Changes', key: eve.signer.key, batch: { ...honest.batch, head: { ...head, agent: eve.signer.key } } },
      content,
    ),
  ).toMatchObject(refused)
  expect(await headOf(ada)).toBe(before)
  expect(await ada.send(honest)).toMatchObject({ tag: 'Changed' })
})

test('I5: a message again gets its first answer again and changes nothing, also from a gateway that was started anew', async () => {
  const made = ada.sign([creating('again', 'again'), creating('signed', 'again')], [bytesOf('again')])
  const first = await ada.send(made)
  expect(first).toMatchObject({ tag: 'Changed', outcomes: [{ status: 200 }, { status: 409 }] })
  const later = await ada.change(
    [updating('again', 'changed since', first.tag === 'Changed' ? first.position : -1)],
    [bytesOf('changed since')],
  )
  expect(later).toMatchObject({ outcomes: [{ status: 200 }] })
  const before = await headOf(ada)
  const same = async (): Promise<void> => {
    const again = await ada.send(made)
    if (again.tag !== 'Changed' || first.tag !== 'Changed' || again.receipt === undefined) throw new Error(JSON.stringify(again))
    expect({ ...again, receipt: again.receipt.statement }).toEqual({ ...first, receipt: first.receipt?.statement })
    expect(verifyReceipt(again.receipt, ada.gatewayKey)).toBe(true)
    const other = ada.sign([creating('another root', 'again')], [bytesOf('again')], { number: made.batch.head.number })
    expect(await ada.send(other)).toMatchObject({ status: 409, code: 'number' })
    expect(await ada.send(ada.sign([creating('older', 'again')], [], { number: 0 }))).toMatchObject({ status: 409, code: 'number' })
    expect(await headOf(ada)).toBe(before)
  }
  await same()
  await world.gateway.kill()
  await world.startGateway()
  await ada.line.connected()
  await same()
})
