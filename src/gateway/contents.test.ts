import type { AccountId } from '../domain/events.ts'
import { describe, expect, it } from 'vitest'
import { bytesOf, chunkOf, creating, deleting, enrol, gatewayWorld, textFile, updating, type Enrolled } from '../../test/support/gateway.ts'
import { path } from '../../test/support/memory-tree.ts'
import type { Change } from '../domain/change.ts'
import type { Content } from '../domain/content.ts'
import { manifestOf } from '../protocol/manifest.ts'
import { contentHash } from '../protocol/merkle.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })

/** A content of so many chunks of one byte more than the last. */
const largeFile = (count: number, seed: number) => {
  const pieces = Array.from({ length: count }, (_, index) => Buffer.alloc(index + 1, seed))
  const chunks = pieces.map(chunkOf)
  const { manifest, object } = manifestOf(chunks)
  const content: Content = {
    kind: 'file',
    size: chunks.reduce((sum, { size }) => sum + size, 0),
    hash: contentHash(chunks),
    manifest,
    executable: false,
    modified: '1',
  }
  return { pieces, chunks, object: object ?? Buffer.alloc(0), content }
}

const readBack = async (device: Enrolled, version: number, bytes: Buffer) => {
  const { answer, payload } = await device.open(version, [chunkOf(bytes).hash])
  return { answer, text: Buffer.from(payload).toString() }
}

describe('contents', () => {
  it('are asked for, taken in, and then the same message goes', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const message = laptop.sign([creating('a', 'one'), creating('b', 'two')])
    const missing = [chunkOf(bytesOf('one')).hash, chunkOf(bytesOf('two')).hash]
    expect(await laptop.send(message)).toEqual({ tag: 'SendChunks', status: 100, missing })
    expect(await laptop.upload([bytesOf('one')])).toMatchObject({ status: 200 })
    expect(await laptop.send(message)).toEqual({ tag: 'SendChunks', status: 100, missing: missing.slice(1) })
    expect(await laptop.upload([bytesOf('two')])).toMatchObject({ status: 200 })
    expect(await laptop.send(message)).toMatchObject({ outcomes: [{ status: 200 }, { status: 200 }] })
  })

  it('are refused where they are the text of a link with a NUL, in the message or sent before', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const linking = (name: string, bytes: Buffer): Change => {
      const chunk = chunkOf(bytes)
      const manifest = { tag: 'chunks', chunks: [chunk] } as const
      const content: Content = { kind: 'symlink', size: bytes.length, hash: chunk.hash, manifest, executable: false, modified: '1' }
      return { tag: 'create', path: path(name), content, base: 'none' }
    }
    const [wrong, right, early] = ['a\0b', 'to/a', 'b\0'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
    const refusal = { status: 400, code: 'format', reason: expect.stringContaining('NUL') as string }
    expect(await laptop.change([linking('l', wrong)], { contents: [wrong] })).toMatchObject(refusal)
    expect(await laptop.upload([early])).toMatchObject({ status: 200 })
    expect(await laptop.change([linking('r', right), linking('l', early)], { contents: [right] })).toMatchObject(refusal)
    expect(await laptop.change([linking('l', right)], { contents: [right] })).toMatchObject({ outcomes: [{ status: 200 }] })
  })

  it('are not asked for when the change is refused', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], inside('one'))
    expect(await laptop.change([creating('a', 'two')])).toMatchObject({ tag: 'Changed', outcomes: [{ status: 409, code: 'stale' }] })
  })

  it('a message that waits for contents leaves no trace in its batch', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    const [waits, goes] = await Promise.all([
      laptop.change([creating('d/a', 'absent')]),
      desktop.change([creating('d/a', 'here')], inside('here')),
    ])
    expect(waits).toMatchObject({ status: 100 })
    expect(goes).toMatchObject({ outcomes: [{ status: 200, path: 'd/a' }] })
  })

  it('I6: what an event names was stored, and told of, before it', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one'), creating('b', 'two')], { contents: [bytesOf('one'), bytesOf('two')] })
    const types = world.storage.all.map(({ type }) => type)
    expect(types.slice(-3)).toEqual(['PackStored', 'FileCreated', 'FileCreated'])
  })

  it('an upload counts after a restart', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.upload([bytesOf('one')])
    await world.restart()
    await laptop.signIn()
    expect(await laptop.change([creating('a', 'one')])).toMatchObject({ outcomes: [{ status: 200 }] })
  })

  it('an upload counts for a week', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.upload([bytesOf('one')])
    const { uploads } = world.gateway.deps
    uploads.expire(world.clock.wall() + 6 * 24 * 3_600_000)
    expect(
      (await laptop.ask({ tag: 'Missing', key: laptop.key, folder: laptop.folder, chunks: [chunkOf(bytesOf('one')).hash] })).answer,
    ).toMatchObject({ missing: [] })
    uploads.expire(world.clock.wall() + 8 * 24 * 3_600_000)
    expect(await laptop.change([creating('a', 'one')])).toMatchObject({ status: 100 })
  })

  it('what another gateway has taken in counts as uploaded here, and it is told what this one takes in', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const [one, two] = [chunkOf(bytesOf('one')), chunkOf(bytesOf('two'))]
    const told: unknown[] = []
    const uploaded = async (...what: unknown[]): Promise<void> => void told.push(what)
    world.gateway.addNotifier({ notify: () => undefined, disconnect: () => undefined, uploaded })
    await laptop.upload([bytesOf('one')])
    const account = world.gateway.deps.state.directory.folder(laptop.folder)?.account ?? ('' as AccountId) // undefined: the folder is there
    expect(told).toEqual([[account, [one]]])
    world.gateway.uploadedElsewhere(account, [two])
    const asked = await laptop.ask({ tag: 'Missing', key: laptop.key, folder: laptop.folder, chunks: [one.hash, two.hash] })
    expect(asked.answer).toMatchObject({ missing: [] })
  })

  it('bytes of another hash are refused, alone or inside a message, and nothing is stored', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const chunk = chunkOf(bytesOf('one'))
    expect(
      (await laptop.ask({ tag: 'Chunks', key: laptop.key, folder: laptop.folder, chunks: [chunk] }, bytesOf('two'))).answer,
    ).toMatchObject({ status: 400, code: 'hash' })
    expect(
      (await laptop.ask({ tag: 'Chunks', key: laptop.key, folder: laptop.folder, chunks: [chunk] }, bytesOf('three'))).answer,
    ).toMatchObject({ status: 400, code: 'format' })
    const { batch } = laptop.sign([creating('a', 'one')], inside('one'))
    expect(await laptop.send({ batch, payload: bytesOf('two') })).toMatchObject({ status: 400, code: 'hash' })
    expect(world.objects.objects.size).toBe(0)
  })

  it('a chunk that can no longer be read counts as missing, until it is sent again', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const bytes = bytesOf('precious')
    await laptop.change([creating('a', 'precious')], { contents: [bytes] })
    for (const stored of world.objects.objects.values()) stored[stored.length - 1] = (stored.at(-1) ?? 0) ^ 1
    expect((await readBack(laptop, 1, bytes)).answer).toMatchObject({ tag: 'Opened', chunks: [], missing: [chunkOf(bytes).hash] })
    expect(await laptop.change([creating('b', 'precious')])).toMatchObject({ status: 100, missing: [chunkOf(bytes).hash] })
    await laptop.upload([bytes])
    expect(await readBack(laptop, 1, bytes)).toMatchObject({ text: 'precious' })
    expect(await laptop.change([creating('b', 'precious')])).toMatchObject({ status: 200 })
  })

  it('a large chunk that was damaged comes unchecked as it was stored, and counts as missing once it was asked for checked', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const bytes = Buffer.alloc(300_000, 7)
    await laptop.upload([bytes])
    const content: Content = {
      ...textFile(''),
      size: bytes.length,
      hash: chunkOf(bytes).hash,
      manifest: { tag: 'chunks', chunks: [chunkOf(bytes)] },
    }
    await laptop.change([{ tag: 'create', path: path('a'), content, base: 'none' }])
    for (const stored of world.objects.objects.values()) stored[0] = 8
    const ask = (unchecked: boolean) =>
      laptop.ask({
        tag: 'Open',
        key: laptop.key,
        folder: laptop.folder,
        unchecked,
        files: [{ version: 1, chunks: [chunkOf(bytes).hash] }],
      })
    expect((await ask(true)).payload[0]).toBe(8)
    expect((await ask(false)).answer).toMatchObject({ chunks: [], missing: [chunkOf(bytes).hash] })
    expect(await laptop.change([{ tag: 'create', path: path('b'), content, base: 'none' }])).toMatchObject({ status: 100 })
  })

  it('one that was cut short counts as missing at once', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const bytes = Buffer.alloc(300_000, 7)
    await laptop.upload([bytes])
    const content: Content = {
      ...textFile(''),
      size: bytes.length,
      hash: chunkOf(bytes).hash,
      manifest: { tag: 'chunks', chunks: [chunkOf(bytes)] },
    }
    await laptop.change([{ tag: 'create', path: path('a'), content, base: 'none' }])
    for (const [name, stored] of world.objects.objects) world.objects.objects.set(name, stored.subarray(1))
    const files = [{ version: 1, chunks: [chunkOf(bytes).hash] }]
    const opened = await laptop.ask({ tag: 'Open', key: laptop.key, folder: laptop.folder, unchecked: true, files })
    expect(opened.answer).toMatchObject({ chunks: [], missing: [chunkOf(bytes).hash] })
    expect(await laptop.change([{ tag: 'create', path: path('b'), content, base: 'none' }])).toMatchObject({ status: 100 })
  })

  it('an older version is opened by its number, a chunk that it does not name is not', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    await laptop.change([creating('a', 'one')], inside('one'))
    await laptop.change([updating('a', 'two', 1)], inside('two'))
    await laptop.change([deleting('a', 2)])
    expect((await readBack(laptop, 1, bytesOf('one'))).text).toBe('one')
    expect((await readBack(laptop, 2, bytesOf('two'))).text).toBe('two')
    for (const version of [0, 3, 4])
      expect((await readBack(laptop, version, bytesOf('one'))).answer, `${version}`).toMatchObject({ status: 404 })
    expect((await readBack(laptop, 2, bytesOf('one'))).answer).toMatchObject({ status: 404 })
  })

  it('a manifest is asked for first, then what it names', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const { pieces, chunks, object, content } = largeFile(40, 1)
    const message = laptop.sign([{ tag: 'create', path: path('large'), content, base: 'none' }])
    expect(await laptop.send(message)).toEqual({ tag: 'SendChunks', status: 100, missing: [chunkOf(object).hash] })
    await laptop.upload([object])
    expect(await laptop.send(message)).toEqual({ tag: 'SendChunks', status: 100, missing: chunks.map(({ hash }) => hash) })
    await laptop.upload(pieces)
    expect(await laptop.send(message)).toMatchObject({ outcomes: [{ status: 200, revision: 1 }] })
    const opened = await laptop.open(1, [chunkOf(object).hash, ...chunks.map(({ hash }) => hash)])
    expect(Buffer.from(opened.payload)).toEqual(Buffer.concat([object, ...pieces]))
    await world.restart()
    await laptop.signIn()
    expect(await laptop.change([{ tag: 'create', path: path('copy'), content, base: 'none' }])).toMatchObject({
      outcomes: [{ status: 200 }],
    })
  })

  it('a manifest that makes another content is refused', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const one = largeFile(40, 1)
    const two = largeFile(40, 2)
    await laptop.upload([one.object])
    const content = { ...two.content, manifest: one.content.manifest }
    expect(await laptop.change([{ tag: 'create', path: path('large'), content, base: 'none' }])).toMatchObject({
      outcomes: [{ status: 400, code: 'hash' }],
    })
  })

  it('an answer holds as many chunks as fit, the rest is asked for again', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const parts = [1, 2, 3].map((fill) => Buffer.alloc(1_600_000, fill))
    for (const part of parts) await laptop.upload([part])
    const chunks = parts.map(chunkOf)
    const content: Content = { ...textFile(''), size: 4_800_000, hash: contentHash(chunks), manifest: { tag: 'chunks', chunks } }
    await laptop.change([{ tag: 'create', path: path('a'), content, base: 'none' }])
    const opened = await laptop.open(
      1,
      chunks.map(({ hash }) => hash),
    )
    expect(opened.answer).toMatchObject({ chunks: chunks.slice(0, 2), missing: [] })
    expect(opened.payload).toHaveLength(3_200_000)
  })
})
