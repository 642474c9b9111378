import { randomBytes } from 'node:crypto'
import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { bytesOf, chunksOf, contentOf, path, seenIn, temporaryFolder } from '../../../../test/support/disk.ts'
import { inlineDisk } from '../inline.ts'
import type { Disk } from '../port.ts'
import { sha256 } from '../../../protocol/hash.ts'
import { nodeFileSystem } from '../../../filesystem/node.ts'
import { workerDisk, type WorkerLimits } from './pool.ts'

const MIB = 1024 * 1024
const ENTRY = new URL('../../../compose/disk-worker.ts', import.meta.url)
const FAULTY = new URL('../../../../test/support/faulty-disk-worker.ts', import.meta.url)

/** A folder all of whose work is done by workers, unless the limits say otherwise. */
const folder = async (
  limits: Partial<WorkerLimits> = {},
  entry = ENTRY,
): Promise<{ root: string; disk: Disk; at: (name: string) => string }> => {
  const root = temporaryFolder()
  const disk = workerDisk(root, { entry, fs: nodeFileSystem(root), limits: { inlineItems: -1, ...limits } })
  onTestFinished(() => disk[Symbol.asyncDispose]())
  expect(await disk.mark('m1')).toBeUndefined()
  return { root, disk, at: (name) => join(root, name) }
}

const sparse = (file: string, size: number): void => {
  nodeFs.writeFileSync(file, '')
  nodeFs.truncateSync(file, size)
}

describe('workerDisk', () => {
  test('takes the memory of given files only where nothing else lies in it', async () => {
    const { disk, at } = await folder()
    const own = bytesOf('own memory').slice()
    const shared = bytesOf('..shared memory..').slice().subarray(2, -2)
    const staged = await disk.stageFiles([{ stage: 's1', content: contentOf(own), bytes: own }], true)
    const others = await disk.stageFiles([{ stage: 's2', content: contentOf(shared), bytes: shared }], true)
    expect([...staged, ...others]).toEqual([{ tag: 'staged' }, { tag: 'staged' }])
    expect([own.length, shared.length]).toEqual([0, 13])
    const texts = ['s1', 's2'].map((stage) => nodeFs.readFileSync(at(`.eventsync/stage/${stage}`), 'utf8'))
    expect(texts).toEqual(['own memory', 'shared memory'])
  })

  test('stages files whose bytes lie in one piece of memory, in any order', async () => {
    const { disk, at } = await folder()
    const all = bytesOf('firstsecond').slice()
    const [first, second] = [all.subarray(0, 5), all.subarray(5)]
    const contents = [contentOf(second), contentOf(new Uint8Array(0)), contentOf(first)]
    const files = [second, new Uint8Array(0), first].map((bytes, i) => ({ stage: `s${i}`, content: contents[i]!, bytes }))
    expect(await disk.stageFiles(files, true)).toEqual([{ tag: 'staged' }, { tag: 'staged' }, { tag: 'staged' }])
    expect(files.map(({ stage }) => nodeFs.readFileSync(at(`.eventsync/stage/${stage}`), 'utf8'))).toEqual(['second', '', 'first'])
  })

  test('gives away the chunks of a large file while it is being read, each whole and once, however late they are taken', async () => {
    const { disk, at } = await folder()
    // More than both windows hold.
    const bytes = randomBytes(28 * MIB)
    nodeFs.writeFileSync(at('large'), bytes)
    const taken: { readonly hash: string; readonly size: number }[] = []
    const waiting: (() => void)[] = []
    const reading = disk.read([path('large')], [], async (chunk, shown) => {
      // Until several more have come: only what was taken may be overwritten.
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        if (waiting.length > 4) waiting.shift()?.()
      })
      taken.push({ hash: sha256(shown), size: shown.length })
      expect(chunk).toEqual(taken.at(-1))
    })
    const release = setInterval(() => waiting.shift()?.(), 5)
    const [read] = await reading
    await vi.waitUntil(() => read?.tag === 'read' && taken.length === read.chunks.length, 20_000)
    clearInterval(release)
    expect(taken.toSorted((a, b) => a.hash.localeCompare(b.hash))).toEqual(
      (read?.tag === 'read' ? read.chunks : []).toSorted((a, b) => a.hash.localeCompare(b.hash)),
    )
    expect(await disk.read([path('large')])).toMatchObject([{ tag: 'read', content: read?.tag === 'read' ? read.content : undefined }])
  }, 60_000)

  test('a reading goes on where nobody takes what it gives away', async () => {
    const { disk, at } = await folder()
    sparse(at('large'), 40 * MIB)
    let given = 0
    const [read] = await disk.read([path('large')], [], () => {
      given += 1
      return new Promise(() => undefined)
    })
    expect(read).toMatchObject({ tag: 'read', content: { size: 40 * MIB } })
    expect(given).toBeLessThan(10)
  }, 60_000)

  test.each([-1, 16])('does all that a disk does (inline up to %i items)', async (inlineItems) => {
    const { disk, at } = await folder({ inlineItems })
    const bytes = bytesOf('hello')
    expect(await disk.root()).toEqual({ tag: 'ok', marker: 'm1', exactNames: true })
    expect(
      await disk.stageFiles([
        { stage: 's1', content: contentOf(bytes), bytes },
        { stage: 's2', content: contentOf(bytes), bytes },
      ]),
    ).toEqual([{ tag: 'staged' }, { tag: 'staged' }])
    expect(await disk.persistStages(['s1', 's2'])).toBeUndefined()
    const placed = await disk.apply([
      { tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' },
      { tag: 'mkdir', path: path('d') },
    ])
    expect(await disk.persist([path('a'), path('d')])).toBeUndefined()
    expect(await disk.look([path('a')])).toEqual([{ tag: 'seen', path: 'a', seen: seenIn(placed[0]!) }])
    expect(await disk.list([''])).toMatchObject([{ directory: '', result: { tag: 'listed', unnameable: [] } }])
    expect(await disk.read([path('a')])).toMatchObject([{ tag: 'read', bytes }])
    expect(await disk.readPiece(path('a'), 0, chunksOf(bytes)[0]!)).toEqual(bytes)
    expect(await disk.apply([{ tag: 'remove', path: path('a'), expect: seenIn(placed[0]!), grave: 'g1' }])).toMatchObject([{ tag: 'done' }])
    expect(await disk.inspectGraves(['g1', 'g2'])).toMatchObject([{ tag: 'there' }, { tag: 'gone' }])
    expect(await disk.exhume('g1', path('b'))).toMatchObject({ tag: 'done' })
    expect((await disk.stageLinks([{ stage: 's3', path: path('b'), expect: seenIn(placed[0]!), content: contentOf(bytes) }]))[0]).toEqual({
      tag: 'mismatch',
    })
    await disk.dropStages(['s2'])
    nodeFs.writeFileSync(at('.eventsync/grave/g3'), '')
    await disk.dropGraves(['g3'])
    expect(await disk.leftovers()).toEqual({ stages: [], graves: [] })
  })

  test('pieces arrive whole from all sides at once, and the caller keeps its bytes', async () => {
    const { disk, at } = await folder()
    const frame = new Uint8Array(12 * MIB).map((_, i) => (i * 2_654_435_761) >>> 13)
    const pieces = Array.from({ length: 12 }, (_, i) => ({ offset: i * MIB, bytes: frame.subarray(i * MIB, (i + 1) * MIB) }))
    const chunks = pieces.map(({ bytes }) => chunksOf(bytes.slice())).map((all) => all[0]!)
    const results = await Promise.all(
      pieces.map(({ offset, bytes }, i) => disk.stagePiece('s1', offset, { ...chunks[i]!, size: MIB }, { tag: 'bytes', bytes })),
    )
    expect(new Set(results.map(({ tag }) => tag))).toEqual(new Set(['staged']))
    expect(frame.length).toBe(12 * MIB)
    expect(await disk.stagedPieces('s1', chunks)).toEqual(pieces.map(() => true))
    expect(await disk.finishStage('s1', contentOf(frame))).toEqual({ tag: 'staged' })
    await disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' }])
    expect(nodeFs.readFileSync(at('a')).equals(frame)).toBe(true)
  })

  test('a long read keeps nobody waiting', async () => {
    const { disk, at } = await folder()
    sparse(at('huge'), 4096 * MIB)
    nodeFs.writeFileSync(at('small'), 'x')
    let done = false
    const long = disk.read([path('small'), path('huge'), path('small')]).finally(() => (done = true))
    for (let i = 0; i < 20; i++) expect((await disk.look([path('small')]))[0]?.tag).toBe('seen')
    expect((await disk.read([path('small')]))[0]?.tag).toBe('read')
    expect(done).toBe(false)
    const rejected = expect(long).rejects.toThrow('the disk is closed')
    await disk[Symbol.asyncDispose]()
    await rejected
  })

  test('answers are in the order asked for, whichever worker read', async () => {
    const { disk, at } = await folder({ quickBytes: 10 })
    for (const [i, size] of [5, 100, 5, 5, 0, 7].entries()) sparse(at(`f${i}`), size)
    const readings = await disk.read(['f0', 'f1', 'none', 'f2', 'f3', 'f4', 'f5'].map(path))
    expect(readings.map((reading) => (reading.tag === 'read' ? reading.content.size : reading.tag))).toEqual([5, 100, 'absent', 5, 5, 0, 7])
  })

  test('a file that grows into a large one between the workers is read all the same', async () => {
    const { disk, at } = await folder({ quickBytes: 0 })
    nodeFs.writeFileSync(at('f'), 'abc')
    expect(await disk.read([path('f'), path('f')])).toMatchObject([{ tag: 'read' }, { tag: 'read' }])
  })

  test.each([
    ['exit', 'the disk worker exited in "look"'],
    ['throw', 'the disk worker stopped: '],
  ])('a worker that ends (%s) rejects what it held, and is replaced', async (name, message) => {
    const { disk, at } = await folder({}, FAULTY)
    nodeFs.writeFileSync(at('a'), '')
    const lost = disk.look([path(name)])
    const others = await Promise.allSettled([lost, disk.look([path('a')]), disk.look([path('a')]), disk.look([path('a')])])
    await expect(lost).rejects.toThrow(message)
    expect(others.slice(2).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect((await disk.look([path('a')]))[0]?.tag).toBe('seen')
  })

  test('a bug in a task rejects that call, and only that one', async () => {
    const { disk } = await folder({}, FAULTY)
    await expect(disk.look([path('bug')])).rejects.toThrow('a bug in a task')
    expect(await disk.look([path('none')])).toMatchObject([{ tag: 'absent' }])
  })

  test('closing lets writes come to their end, and refuses all that comes after', async () => {
    const { disk, root } = await folder({ writers: 1 })
    const bytes = new Uint8Array(MIB)
    const stages = ['s1', 's2', 's3', 's4'].map((stage) => disk.stageFiles([{ stage, content: contentOf(bytes), bytes }]))
    const settled = Promise.allSettled(stages)
    await disk[Symbol.asyncDispose]()
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect(nodeFs.readdirSync(join(root, '.eventsync/stage'))).toEqual(['s1', 's2'])
    await expect(disk.look([])).rejects.toThrow('the disk is closed')
    await disk[Symbol.asyncDispose]()
  })

  test('a worker without work ends, and another one starts when there is some', async () => {
    const { disk, at } = await folder({ idleMs: 20 }, FAULTY)
    nodeFs.writeFileSync(at('a'), '')
    const threads = (): string[] => nodeFs.readdirSync('/proc/self/task')
    await disk.look([path('a')])
    const before = new Set(threads())
    await vi.waitFor(() => expect(threads().filter((thread) => before.has(thread)).length).toBeLessThan(before.size), { timeout: 5000 })
    expect((await disk.look([path('a')]))[0]?.tag).toBe('seen')
  })

  test('a little is done at once, without any worker', async () => {
    const root = temporaryFolder()
    const disk = workerDisk(root, { entry: new URL('file:///none/such.ts'), fs: nodeFileSystem(root) })
    await inlineDisk(nodeFileSystem(root)).mark('m1')
    nodeFs.writeFileSync(join(root, 'small'), 'x')
    sparse(join(root, 'large'), MIB)
    expect(await disk.look([path('small')])).toMatchObject([{ tag: 'seen' }])
    expect(await disk.read([path('small')])).toMatchObject([{ tag: 'read' }])
    await expect(disk.read([path('small'), path('large')])).rejects.toThrow('Cannot find module')
    await disk[Symbol.asyncDispose]()
    await expect(disk.look([path('small')])).rejects.toThrow('the disk is closed')
  })

  test('large graves are read in a worker, small ones at once', async () => {
    const { disk, at } = await folder({ inlineItems: 16, inlineBytes: 10 })
    for (const [i, size] of [5, 100, 5, 200].entries()) sparse(at(`.eventsync/grave/g${i}`), size)
    const states = await disk.inspectGraves(['g0', 'g1', 'none', 'g2', 'g3'])
    expect(states.map((state) => (state.tag === 'there' ? state.seen.size : state.tag))).toEqual([5, 100, 'gone', 5, 200])
  })

  test('an entry that cannot be loaded is told with every call', async () => {
    const root = temporaryFolder()
    const disk = workerDisk(root, { entry: new URL('file:///none/such.ts'), fs: nodeFileSystem(root) })
    await expect(disk.list([''])).rejects.toThrow('Cannot find module')
    await expect(disk.list([''])).rejects.toThrow('Cannot find module')
    await disk[Symbol.asyncDispose]()
  })
})
