import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bytesOf, contentOf, failing, meddled, path, seenIn, temporaryFolder } from '../../../test/support/disk.ts'
import { nodeFileSystem } from '../../filesystem/node.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { inlineDisk } from './inline.ts'
import type { Disk, Seen, StepResult } from './port.ts'

interface Folder {
  readonly root: string
  readonly fs: FileSystem
  readonly disk: Disk
  readonly at: (name: string) => string
  readonly text: (name: string) => string
  readonly seen: (name: string, disk?: Disk) => Promise<Seen>
}

const marked = async (wrap: (fs: FileSystem) => FileSystem = (fs) => fs): Promise<Folder> => {
  const root = temporaryFolder()
  const plain = nodeFileSystem(root)
  expect(await inlineDisk(plain).mark('m1')).toBeUndefined()
  const fs = wrap(plain)
  const disk = inlineDisk(fs)
  const at = (name: string): string => join(root, name)
  const text = (name: string): string => nodeFs.readFileSync(at(name), 'utf8')
  const seen = async (name: string, by = inlineDisk(plain)): Promise<Seen> => seenIn((await by.look([path(name)]))[0]!)
  return { root, fs, disk, at, text, seen }
}

const stage = async (disk: Disk, name: string, text: string, executable = false): Promise<void> => {
  const bytes = bytesOf(text)
  expect(await disk.stageFiles([{ stage: name, content: contentOf(bytes, { executable }), bytes }])).toEqual([{ tag: 'staged' }])
}

const one = async (results: Promise<readonly StepResult[]>): Promise<StepResult> => (await results)[0]!

const changed = { tag: 'changed' }
const failed = (tag: string): object => ({ tag: 'failed', error: expect.objectContaining({ tag }) })

describe('place', () => {
  test('puts a staged file where nothing is, with its time and mode', async () => {
    const { disk, at, text } = await marked()
    await stage(disk, 's1', 'hello', true)
    const result = await one(disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' }]))
    expect(text('a')).toBe('hello')
    expect(result).toEqual({ tag: 'done', seen: (await disk.look([path('a')])).map(seenIn)[0] })
    expect(seenIn(result).mtime.slice(0, -3)).toBe('1700000000123456')
    expect(nodeFs.statSync(at('a')).mode & 0o777).toBe(0o777 & ~process.umask())
    expect(await disk.leftovers()).toEqual({ stages: [], graves: [] })
  })

  test('never over what appeared meanwhile', async () => {
    const { disk, at, text } = await marked()
    await stage(disk, 's1', 'ours')
    nodeFs.writeFileSync(at('a'), 'theirs')
    expect(await one(disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' }]))).toEqual(changed)
    expect(text('a')).toBe('theirs')
    expect(await disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test('replaces what was expected, keeps the old inode in the grave and the permission bits at the path', async () => {
    const { disk, at, text, seen } = await marked()
    nodeFs.writeFileSync(at('a'), 'old')
    nodeFs.chmodSync(at('a'), 0o4640)
    const expected = await seen('a')
    await stage(disk, 's1', 'new', true)
    const result = await one(disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' }]))
    expect(result.tag).toBe('done')
    expect(text('a')).toBe('new')
    expect(text('.eventsync/grave/g1')).toBe('old')
    expect(nodeFs.statSync(at('a')).mode & 0o7777).toBe(0o750)
  })

  test.each(['content', 'touched', 'replaced', 'removed', 'a directory'])('leaves alone what is not what was expected: %s', async (how) => {
    const { disk, at, seen } = await marked()
    nodeFs.writeFileSync(at('a'), 'old')
    const expected = await seen('a')
    await stage(disk, 's1', 'new')
    if (how === 'content') nodeFs.writeFileSync(at('a'), 'theirs')
    if (how === 'touched') nodeFs.utimesSync(at('a'), 5, 5)
    if (how !== 'content' && how !== 'touched') nodeFs.unlinkSync(at('a'))
    if (how === 'replaced') nodeFs.writeFileSync(at('a'), 'old')
    if (how === 'a directory') nodeFs.mkdirSync(at('a'))
    expect(await one(disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' }]))).toEqual(changed)
    expect(await disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test('a write that comes between the check and the burial stops it', async () => {
    let at: (name: string) => string = String
    const folder = await marked((fs) =>
      meddled(fs, (real) => ({
        link: (from, to) => {
          if (from === 'a') nodeFs.writeFileSync(at('a'), 'theirs')
          real.link(from, to)
        },
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('a'), 'old')
    const expected = await folder.seen('a')
    await stage(folder.disk, 's1', 'new')
    expect(await one(folder.disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' }]))).toEqual(changed)
    expect(folder.text('a')).toBe('theirs')
    expect(await folder.disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test('a write right after the placing is not taken for ours', async () => {
    let at: (name: string) => string = String
    const folder = await marked((fs) =>
      meddled(fs, (real) => ({
        unlink: (name) => {
          real.unlink(name)
          nodeFs.writeFileSync(at('a'), 'theirs, at once')
        },
      })),
    )
    at = folder.at
    await stage(folder.disk, 's1', 'ours')
    const result = await one(folder.disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' }]))
    expect(seenIn(result)).not.toEqual(await folder.seen('a'))
    expect(seenIn(result).size).toBe(4)
  })

  test.each(['EPERM', 'EMLINK', 'ENOTSUP'])('without hard links (%s) it looks, then renames', async (code) => {
    const { disk, at, text, seen } = await marked((fs) => failing(fs, 'link', code))
    await stage(disk, 's1', 'one')
    await stage(disk, 's2', 'two')
    await stage(disk, 's3', 'three')
    nodeFs.writeFileSync(at('b'), 'theirs')
    expect((await one(disk.apply([{ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' }]))).tag).toBe('done')
    expect(await one(disk.apply([{ tag: 'place', stage: 's2', path: path('b'), expect: undefined, grave: 'g2' }]))).toEqual(changed)
    expect((await one(disk.apply([{ tag: 'place', stage: 's3', path: path('a'), expect: await seen('a'), grave: 'g3' }]))).tag).toBe('done')
    expect([text('a'), text('b')]).toEqual(['three', 'theirs'])
  })

  test('refuses parents that are missing, files, or symlinks (I11)', async () => {
    const { disk, at } = await marked()
    const outside = temporaryFolder()
    nodeFs.writeFileSync(at('file'), '')
    nodeFs.symlinkSync(outside, at('link'))
    for (const parent of ['missing', 'file', 'link', 'link/deep']) {
      await stage(disk, 's1', 'x')
      expect(await one(disk.apply([{ tag: 'place', stage: 's1', path: path(`${parent}/a`), expect: undefined, grave: 'g1' }]))).toEqual(failed('BadParent'))
      expect(await one(disk.apply([{ tag: 'mkdir', path: path(`${parent}/d`) }]))).toEqual(failed('BadParent'))
      expect(await one(disk.apply([{ tag: 'symlink', target: 't', path: path(`${parent}/l`), expect: undefined, grave: 'g1' }]))).toEqual(failed('BadParent'))
    }
    expect(nodeFs.readdirSync(outside)).toEqual([])
  })

  test('writes nothing where .eventsync or a part of it leads outside (I11)', async () => {
    const { disk, at } = await marked()
    const outside = temporaryFolder()
    for (const own of ['.eventsync/stage', '.eventsync/grave', '.eventsync']) {
      nodeFs.renameSync(at(own), `${at(own)}-away`)
      nodeFs.mkdirSync(join(outside, 'stage'), { recursive: true })
      nodeFs.symlinkSync(outside, at(own))
      nodeFs.writeFileSync(at('victim'), 'kept')
      const bytes = bytesOf('x')
      if (own !== '.eventsync/grave') expect(await disk.stageFiles([{ stage: 's', content: contentOf(bytes), bytes }])).toEqual([failed('BadParent')])
      const expected = seenIn({ tag: '', seen: (await disk.look([path('victim')])).flatMap((look) => (look.tag === 'seen' ? [look.seen] : []))[0] ?? (await lookPlain(at('victim'))) })
      const removed = await one(disk.apply([{ tag: 'remove', path: path('victim'), expect: expected, grave: 'g' }]))
      if (own !== '.eventsync/stage') expect(removed).toEqual(failed('BadParent'))
      nodeFs.unlinkSync(at(own))
      nodeFs.renameSync(`${at(own)}-away`, at(own))
      expect(nodeFs.readdirSync(outside, { recursive: true })).toEqual(['stage'])
    }
  })
})

const lookPlain = async (file: string): Promise<Seen> => {
  const stat = nodeFs.lstatSync(file, { bigint: true })
  return { kind: 'file', size: Number(stat.size), mtime: String(stat.mtimeNs), ctime: String(stat.ctimeNs), inode: String(stat.ino), executable: false }
}
