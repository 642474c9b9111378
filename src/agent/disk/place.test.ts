import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  contentOf,
  diskFolder,
  failedBy,
  failing,
  failure,
  folding,
  meddled,
  path,
  seenIn,
  sorted,
  temporaryFolder,
} from '../../../test/support/disk.ts'

const changed = { tag: 'changed' }

describe('place', () => {
  test('puts a staged file where nothing is, with its time and mode', async () => {
    const { disk, at, text, stage, take } = await diskFolder()
    await stage('s1', 'hello', { executable: true })
    const result = await take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })
    expect(text('a')).toBe('hello')
    expect(result).toEqual({ tag: 'done', seen: (await disk.look([path('a')])).map(seenIn)[0] })
    expect(seenIn(result).mtime.slice(0, -3)).toBe('1700000000123456')
    expect(nodeFs.statSync(at('a')).mode & 0o700).toBe(0o700)
    expect(await disk.leftovers()).toEqual({ stages: [], graves: [] })
  })

  test('never over what appeared meanwhile', async () => {
    const { disk, at, text, stage, take } = await diskFolder()
    await stage('s1', 'ours')
    nodeFs.writeFileSync(at('a'), 'theirs')
    expect(await take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })).toEqual(changed)
    expect(text('a')).toBe('theirs')
    expect(await disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test('replaces what was expected, keeps the old inode in the grave and the permission bits at the path', async () => {
    const { at, text, seen, stage, take } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'old')
    nodeFs.chmodSync(at('a'), 0o4640)
    const expected = await seen('a')
    await stage('s1', 'new', { executable: true })
    const result = await take({ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' })
    expect(result.tag).toBe('done')
    expect(text('a')).toBe('new')
    expect(text('.eventsync/grave/g1')).toBe('old')
    expect(nodeFs.statSync(at('a')).mode & 0o7777).toBe(0o750)
  })

  test.each(['content', 'touched', 'replaced', 'removed', 'a directory'])('leaves alone what is not what was expected: %s', async (how) => {
    const { disk, at, seen, stage, take } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'old')
    const expected = await seen('a')
    await stage('s1', 'new')
    if (how === 'content') nodeFs.writeFileSync(at('a'), 'theirs')
    if (how === 'touched') nodeFs.utimesSync(at('a'), 5, 5)
    if (how !== 'content' && how !== 'touched') nodeFs.unlinkSync(at('a'))
    if (how === 'replaced') nodeFs.writeFileSync(at('a'), 'old')
    if (how === 'a directory') nodeFs.mkdirSync(at('a'))
    expect(await take({ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' })).toEqual(changed)
    expect(await disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test('a write that comes between the check and the burial stops it', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
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
    await folder.stage('s1', 'new')
    expect(await folder.take({ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' })).toEqual(changed)
    expect(folder.text('a')).toBe('theirs')
    expect(await folder.disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test.each(['link', 'no link'])('a file that takes the place of the expected one at its burial stays (%s)', async (links) => {
    let at: (name: string) => string = () => ''
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        link: (from, to) => {
          if (from !== 'a') return real.link(from, to)
          if (links === 'link') real.link(from, to)
          nodeFs.writeFileSync(at('b'), 'theirs')
          nodeFs.renameSync(at('b'), at('a'))
          if (links !== 'link') throw failure('EPERM')
        },
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('a'), 'old')
    const expected = await folder.seen('a')
    await folder.stage('s1', 'new')
    expect(await folder.take({ tag: 'place', stage: 's1', path: path('a'), expect: expected, grave: 'g1' })).toEqual(changed)
    expect(folder.text('a')).toBe('theirs')
    expect(await folder.disk.leftovers()).toEqual({ stages: ['s1'], graves: [] })
  })

  test('a write right after the placing is not taken for ours', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        unlink: (name) => {
          real.unlink(name)
          nodeFs.writeFileSync(at('a'), 'theirs, at once')
        },
      })),
    )
    at = folder.at
    await folder.stage('s1', 'ours')
    const result = await folder.take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })
    expect(seenIn(result)).not.toEqual(await folder.seen('a'))
    expect(seenIn(result).size).toBe(4)
  })

  test('nor is a file that was made executable right after the placing', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        unlink: (name) => {
          real.unlink(name)
          nodeFs.chmodSync(at('a'), 0o755)
        },
      })),
    )
    at = folder.at
    await folder.stage('s1', 'ours')
    const result = await folder.take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })
    expect(seenIn(result).executable).toBe(false)
    expect(seenIn(result)).not.toEqual(await folder.seen('a'))
  })

  test.each(['EPERM', 'EMLINK', 'ENOTSUP'])('without hard links (%s) it looks, then renames', async (code) => {
    const { at, text, seen, stage, take } = await diskFolder((fs) => failing(fs, 'link', code))
    await stage('s1', 'one')
    await stage('s2', 'two')
    await stage('s3', 'three')
    nodeFs.writeFileSync(at('b'), 'theirs')
    expect((await take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })).tag).toBe('done')
    expect(await take({ tag: 'place', stage: 's2', path: path('b'), expect: undefined, grave: 'g2' })).toEqual(changed)
    expect((await take({ tag: 'place', stage: 's3', path: path('a'), expect: await seen('a'), grave: 'g3' })).tag).toBe('done')
    expect([text('a'), text('b')]).toEqual(['three', 'theirs'])
  })

  test('refuses parents that are missing, files, or symlinks (I11)', async () => {
    const { at, stage, take } = await diskFolder()
    const outside = temporaryFolder()
    nodeFs.writeFileSync(at('file'), '')
    nodeFs.symlinkSync(outside, at('link'))
    for (const parent of ['missing', 'file', 'link', 'link/deep']) {
      await stage('s1', 'x')
      expect(await take({ tag: 'place', stage: 's1', path: path(`${parent}/a`), expect: undefined, grave: 'g1' })).toEqual(
        failedBy('BadParent'),
      )
      expect(await take({ tag: 'mkdir', path: path(`${parent}/d`) })).toEqual(failedBy('BadParent'))
      expect(
        await take({ tag: 'symlink', target: 't', modified: '1000', path: path(`${parent}/l`), expect: undefined, grave: 'g1' }),
      ).toEqual(failedBy('BadParent'))
    }
    expect(nodeFs.readdirSync(outside)).toEqual([])
  })

  test('writes nothing outside where a parent is exchanged for a symlink in the very moment (I11)', async () => {
    const outside = temporaryFolder()
    let at: (name: string) => string = String
    const exchange = (): void => {
      if (nodeFs.existsSync(at('d.was'))) return
      nodeFs.renameSync(at('d'), at('d.was'))
      nodeFs.symlinkSync(outside, at('d'))
    }
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        link: (from, to) => {
          if (to === 'd/second') exchange()
          real.link(from, to)
        },
      })),
    )
    at = folder.at
    nodeFs.mkdirSync(at('d'))
    for (const name of ['first', 'second', 'third']) await folder.stage(name, name)
    const results = await folder.disk.apply(
      ['first', 'second', 'third'].map((name) => ({ tag: 'place', stage: name, path: path(`d/${name}`), expect: undefined, grave: '' })),
    )
    expect(results[0]).toMatchObject({ tag: 'done' })
    expect(nodeFs.readdirSync(outside)).toEqual([])
    await folder.stage('fourth', 'x')
    expect(await folder.take({ tag: 'place', stage: 'fourth', path: path('d/fourth'), expect: undefined, grave: '' })).toEqual(
      failedBy('BadParent'),
    )
  })

  test('where a parent was exchanged before it was first reached, nothing is done (I11)', async () => {
    const outside = temporaryFolder()
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        link: (from, to) => {
          nodeFs.renameSync(at('d'), at('d.was'))
          nodeFs.symlinkSync(outside, at('d'))
          real.link(from, to)
        },
      })),
    )
    at = folder.at
    nodeFs.mkdirSync(at('d/e'), { recursive: true })
    await folder.stage('s', 'x')
    expect(await folder.take({ tag: 'place', stage: 's', path: path('d/e/f'), expect: undefined, grave: '' })).toEqual(
      failedBy('BadParent'),
    )
    expect([nodeFs.readdirSync(outside), nodeFs.readdirSync(at('d.was/e'))]).toEqual([[], []])
  })

  test.each(['.eventsync/stage', '.eventsync/grave', '.eventsync'])('writes nothing where %s leads outside (I11)', async (own) => {
    const { disk, at, seen, take } = await diskFolder()
    const outside = temporaryFolder()
    nodeFs.writeFileSync(at('victim'), 'kept')
    const expected = await seen('victim')
    nodeFs.renameSync(at(own), at('was'))
    for (const name of ['stage', 'grave', 'marker']) nodeFs.mkdirSync(join(outside, name))
    nodeFs.symlinkSync(outside, at(own))
    const bytes = bytesOf('x')
    const staged = await disk.stageFiles([{ stage: 's', content: contentOf(bytes), bytes }])
    const removed = await take({ tag: 'remove', path: path('victim'), expect: expected, grave: 'g' })
    expect([staged[0], removed]).toContainEqual(failedBy('BadParent'))
    expect(sorted(nodeFs.readdirSync(outside, { recursive: true }))).toEqual(['grave', 'marker', 'stage'])
  })

  test('a name that the file system takes for another is a clash, and neither is harmed (I14)', async () => {
    const { at, text, stage, take, seen } = await diskFolder(folding)
    nodeFs.writeFileSync(at('caf\u00e9'), 'theirs')
    await stage('s1', 'ours')
    const clash = failedBy('NameClash', { with: 'caf\u00e9' })
    for (const name of ['CAFE\u0301', 'cafe\u0301', 'Caf\u00e9']) {
      expect(await take({ tag: 'place', stage: 's1', path: path(name), expect: undefined, grave: 'g1' })).toEqual(clash)
      expect(await take({ tag: 'place', stage: 's1', path: path(name), expect: await seen('caf\u00e9'), grave: 'g1' })).toEqual(changed)
      expect(await take({ tag: 'mkdir', path: path(name) })).toEqual(clash)
      expect(await take({ tag: 'symlink', target: 't', modified: '1000', path: path(name), expect: undefined, grave: 'g1' })).toEqual(clash)
    }
    expect(await take({ tag: 'place', stage: 's1', path: path('caf\u00e9'), expect: undefined, grave: 'g1' })).toEqual(changed)
    expect(text('caf\u00e9')).toBe('theirs')
  })

  test('a parent that is there by another spelling only is missing (I14)', async () => {
    const { at, stage, take } = await diskFolder(folding)
    nodeFs.mkdirSync(at('dir'))
    await stage('s1', 'ours')
    expect(await take({ tag: 'place', stage: 's1', path: path('DIR/a'), expect: undefined, grave: 'g1' })).toEqual(failedBy('BadParent'))
    expect(await take({ tag: 'mkdir', path: path('.EventSync') })).toEqual(failedBy('NameClash'))
    expect(await take({ tag: 'place', stage: 's1', path: path('dir/a'), expect: undefined, grave: 'g1' })).toMatchObject({ tag: 'done' })
  })

  test('a case-only rename on such a file system: staged, removed, placed', async () => {
    const { disk, at, seen, text } = await diskFolder(folding)
    nodeFs.writeFileSync(at('a'), 'x')
    const expected = await seen('a')
    expect(
      (
        await disk.stageLinks([
          { stage: 's1', path: path('a'), expect: expected, content: contentOf(bytesOf('x'), { modified: expected.mtime }) },
        ])
      )[0],
    ).toEqual({
      tag: 'staged',
    })
    const results = await disk.apply([
      { tag: 'remove', path: path('a'), expect: expected, grave: 'g1' },
      { tag: 'place', stage: 's1', path: path('A'), expect: undefined, grave: 'g2' },
    ])
    expect(results.map(({ tag }) => tag)).toEqual(['done', 'done'])
    expect(text('A')).toBe('x')
    expect(nodeFs.readdirSync(at(''))).toEqual(['.eventsync', 'A'])
  })

  test('a name that the system cannot hold is reported, and the rest goes on', async () => {
    const { disk, stage } = await diskFolder((fs) => failing(fs, 'link', 'EINVAL', (from) => from.endsWith('s1')))
    await stage('s1', 'x')
    await stage('s2', 'y')
    const results = await disk.apply([
      { tag: 'place', stage: 's1', path: path('a:b'), expect: undefined, grave: 'g1' },
      { tag: 'place', stage: 's2', path: path('b'), expect: undefined, grave: 'g2' },
    ])
    expect(results).toMatchObject([failedBy('BadName'), { tag: 'done' }])
  })

  test.each([
    ['EACCES', 'NoPermission'],
    ['EROFS', 'NoPermission'],
    ['ENOSPC', 'NoSpace'],
    ['EDQUOT', 'NoSpace'],
    ['EIO', 'Io'],
    ['ENAMETOOLONG', 'BadName'],
    ['EXDEV', 'Io'],
  ])('%s is %s, and leaves all as it was', async (code, tag) => {
    const { at, text, seen, stage, take } = await diskFolder((fs) => failing(failing(fs, 'link', code), 'rename', code))
    nodeFs.writeFileSync(at('a'), 'old')
    await stage('s1', 'new')
    expect(await take({ tag: 'place', stage: 's1', path: path('b'), expect: undefined, grave: 'g1' })).toEqual(failedBy(tag))
    expect(await take({ tag: 'place', stage: 's1', path: path('a'), expect: await seen('a'), grave: 'g1' })).toEqual(failedBy(tag))
    expect(await take({ tag: 'remove', path: path('a'), expect: await seen('a'), grave: 'g1' })).toEqual(failedBy(tag))
    expect(text('a')).toBe('old')
  })

  test('names of 255 bytes, line breaks, backslashes and leading spaces are names', async () => {
    const { stage, take, text } = await diskFolder()
    for (const [i, name] of ['\u00e9'.repeat(127) + 'x', 'a\nb', ' \\ ', '-rf'].entries()) {
      await stage(`s${i}`, name)
      expect(await take({ tag: 'place', stage: `s${i}`, path: path(name), expect: undefined, grave: 'g' })).toMatchObject({ tag: 'done' })
      expect(text(name)).toBe(name)
    }
  })

  test('what threw no error code is a bug, and is thrown', async () => {
    const { stage, take } = await diskFolder((fs) =>
      meddled(fs, () => ({
        link: () => {
          throw new TypeError('a bug')
        },
      })),
    )
    await stage('s1', 'x')
    await expect(take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })).rejects.toThrow('a bug')
  })
})

describe('symlink', () => {
  test('is made, never over anything, and replaces only what was expected', async () => {
    const { at, seen, take, text, disk } = await diskFolder()
    expect(await take({ tag: 'symlink', target: '../x', modified: '1000', path: path('l'), expect: undefined, grave: 'g1' })).toEqual({
      tag: 'done',
      seen: await seen('l'),
    })
    expect(await take({ tag: 'symlink', target: 'y', modified: '1000', path: path('l'), expect: undefined, grave: 'g1' })).toEqual(changed)
    nodeFs.writeFileSync(at('f'), 'old')
    expect(await take({ tag: 'symlink', target: 'y', modified: '1000', path: path('l'), expect: await seen('f'), grave: 'g1' })).toEqual(
      changed,
    )
    expect(
      await take({ tag: 'symlink', target: 'y', modified: '1000', path: path('f'), expect: await seen('f'), grave: 'g1' }),
    ).toMatchObject({
      tag: 'done',
    })
    expect([nodeFs.readlinkSync(at('l')), nodeFs.readlinkSync(at('f')), text('.eventsync/grave/g1')]).toEqual(['../x', 'y', 'old'])
    expect(await disk.leftovers()).toEqual({ stages: [], graves: ['g1'] })
  })

  test('has its own time from the moment when it is seen', async () => {
    const { at, take } = await diskFolder()
    nodeFs.writeFileSync(at('target'), '')
    nodeFs.utimesSync(at('target'), 5, 5)
    const modified = '1600000000123456789'
    const result = await take({ tag: 'symlink', target: 'target', modified, path: path('l'), expect: undefined, grave: 'g1' })
    const { mtimeNs } = nodeFs.lstatSync(at('l'), { bigint: true })
    expect([mtimeNs / 1000n, nodeFs.statSync(at('l')).mtimeMs]).toEqual([1_600_000_000_123_456n, 5000])
    expect(result).toMatchObject({ tag: 'done', seen: { mtime: String(mtimeNs) } })
  })

  test('is made without one where the file system keeps none', async () => {
    const { at, take } = await diskFolder((fs) => failing(fs, 'utimes', 'EOPNOTSUPP'))
    expect(await take({ tag: 'symlink', target: 'x', modified: '1', path: path('l'), expect: undefined, grave: 'g1' })).toMatchObject({
      tag: 'done',
    })
    expect(nodeFs.readlinkSync(at('l'))).toBe('x')
  })

  test('needs a target that a symlink can have', async () => {
    const { take } = await diskFolder()
    for (const target of ['', 'a\0b'])
      expect(await take({ tag: 'symlink', target, modified: '1000', path: path('l'), expect: undefined, grave: 'g1' })).toEqual(
        failedBy('BadName'),
      )
  })

  test('is replaced by a file like any other', async () => {
    const { at, seen, take, stage, text } = await diskFolder()
    nodeFs.symlinkSync('nowhere', at('l'))
    await stage('s1', 'file')
    expect(await take({ tag: 'place', stage: 's1', path: path('l'), expect: await seen('l'), grave: 'g1' })).toMatchObject({ tag: 'done' })
    expect([text('l'), nodeFs.readlinkSync(at('.eventsync/grave/g1'))]).toEqual(['file', 'nowhere'])
  })
})

describe('mkdir', () => {
  test('makes a directory, is content with one, and refuses anything else', async () => {
    const { at, seen, take } = await diskFolder()
    expect(await take({ tag: 'mkdir', path: path('d') })).toEqual({ tag: 'done', seen: await seen('d') })
    expect(await take({ tag: 'mkdir', path: path('d') })).toEqual({ tag: 'done', seen: await seen('d') })
    nodeFs.writeFileSync(at('f'), '')
    expect(await take({ tag: 'mkdir', path: path('f') })).toEqual(changed)
    expect(await take({ tag: 'mkdir', path: path('d/e/f') })).toEqual(failedBy('BadParent'))
  })
  test('makes nothing in a folder that has lost its marker', async () => {
    const { at, take } = await diskFolder()
    nodeFs.unlinkSync(at('.eventsync/marker'))
    expect(await take({ tag: 'mkdir', path: path('d') })).toEqual(failedBy('Io'))
    expect(nodeFs.readdirSync(at(''))).toEqual(['.eventsync'])
  })
})
