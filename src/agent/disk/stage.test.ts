import * as nodeFs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bytesOf, chunksOf, contentOf, diskFolder, failedBy, failing, failure, meddled, path, sorted } from '../../../test/support/disk.ts'
import type { PieceSource } from './port.ts'

const none = { stages: [], graves: [] }

describe('stageFiles', () => {
  test('writes only bytes that match, with time and mode by the umask', async () => {
    const { disk, at } = await diskFolder()
    const bytes = bytesOf('abc')
    const umask = process.umask(0o027)
    const results = await disk.stageFiles([
      { stage: 's1', content: contentOf(bytes), bytes },
      { stage: 's2', content: contentOf(bytes, { executable: true }), bytes },
      { stage: 's3', content: contentOf(bytesOf('xyz')), bytes },
      { stage: 's4', content: contentOf(new Uint8Array()), bytes: new Uint8Array() },
    ])
    process.umask(umask)
    expect(results.map(({ tag }) => tag)).toEqual(['staged', 'staged', 'mismatch', 'staged'])
    expect(['s1', 's2'].map((name) => nodeFs.statSync(at(`.eventsync/stage/${name}`)).mode & 0o777)).toEqual([0o640, 0o750])
    expect(sorted((await disk.leftovers()).stages)).toEqual(['s1', 's2', 's4'])
  })

  test('replaces what an earlier try left, never following it', async () => {
    const { disk, at, text } = await diskFolder()
    nodeFs.writeFileSync(at('victim'), 'kept')
    nodeFs.symlinkSync(at('victim'), at('.eventsync/stage/s1'))
    const bytes = bytesOf('abc')
    expect(await disk.stageFiles([{ stage: 's1', content: contentOf(bytes), bytes }])).toEqual([{ tag: 'staged' }])
    expect([text('victim'), text('.eventsync/stage/s1')]).toEqual(['kept', 'abc'])
  })

  test('on a full disk a stage cut short is removed, and the others are tried', async () => {
    let writes = 0
    const { disk } = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        write: (fd, buffer, position) => {
          writes += 1
          if (writes === 1) {
            real.write(fd, buffer.subarray(0, 1), position)
            throw failure('ENOSPC')
          }
          real.write(fd, buffer, position)
        },
      })),
    )
    const bytes = bytesOf('abc')
    const files = ['s1', 's2'].map((stage) => ({ stage, content: contentOf(bytes), bytes }))
    expect(await disk.stageFiles(files)).toEqual([failedBy('NoSpace'), { tag: 'staged' }])
    expect(await disk.leftovers()).toEqual({ stages: ['s2'], graves: [] })
  })

  test('a stage name that could lead elsewhere is a bug', async () => {
    const { disk } = await diskFolder()
    const bytes = bytesOf('abc')
    for (const stage of ['../x', '..', '.', '', 'a/b', 'a\0'])
      await expect(disk.stageFiles([{ stage, content: contentOf(bytes), bytes }])).rejects.toThrow('not plain')
  })
})

describe('pieces', () => {
  const bytes = bytesOf('first|second|')
  const [first, second] = [chunksOf(bytes.subarray(0, 6))[0]!, chunksOf(bytes.subarray(6))[0]!]
  const piece = (from: Uint8Array): PieceSource => ({ tag: 'bytes', bytes: from })

  test('in any order, from bytes or from a file of the folder, verified; then finished', async () => {
    const { disk, at, take, text } = await diskFolder()
    nodeFs.writeFileSync(at('local'), 'xxfirst|')
    expect(await disk.stagedPieces('s1', [first, second])).toEqual([false, false])
    expect(await disk.stagePiece('s1', 6, second, piece(bytes.subarray(6)))).toEqual({ tag: 'staged' })
    expect(await disk.stagedPieces('s1', [first, second])).toEqual([false, true])
    expect(await disk.stagePiece('s1', 0, first, piece(bytesOf('wrong!')))).toEqual({ tag: 'mismatch' })
    expect(await disk.stagePiece('s1', 0, first, { tag: 'file', path: path('local'), offset: 1 })).toEqual({ tag: 'mismatch' })
    expect(await disk.stagePiece('s1', 0, first, { tag: 'file', path: path('none'), offset: 2 })).toEqual({ tag: 'mismatch' })
    expect(await disk.stagePiece('s1', 0, first, { tag: 'file', path: path('local'), offset: 2 })).toEqual({ tag: 'staged' })
    expect(await disk.stagedPieces('s1', [first, second])).toEqual([true, true])
    nodeFs.appendFileSync(at('.eventsync/stage/s1'), 'of an earlier, longer try')
    expect(await disk.finishStage('s1', contentOf(bytes, { executable: true }))).toEqual({ tag: 'staged' })
    expect(await take({ tag: 'place', stage: 's1', path: path('a'), expect: undefined, grave: 'g1' })).toMatchObject({
      seen: { executable: true },
    })
    expect(text('a')).toBe('first|second|')
  })

  test('a stage that is too short, or not there, is not finished', async () => {
    const { disk } = await diskFolder()
    expect(await disk.finishStage('s1', contentOf(bytes))).toEqual({ tag: 'mismatch' })
    await disk.stagePiece('s1', 0, first, piece(bytes.subarray(0, 6)))
    expect(await disk.finishStage('s1', contentOf(bytes))).toEqual({ tag: 'mismatch' })
  })

  test('never into a symlink', async () => {
    const { disk, at, text } = await diskFolder()
    nodeFs.writeFileSync(at('victim'), 'kept')
    nodeFs.symlinkSync(at('victim'), at('.eventsync/stage/s1'))
    expect(await disk.stagePiece('s1', 0, first, piece(bytes.subarray(0, 6)))).toEqual(failedBy('BadParent'))
    expect(text('victim')).toBe('kept')
  })

  test('on a full disk the other pieces stay', async () => {
    let full = false
    const { disk } = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        write: (fd, buffer, position) => {
          if (full) throw failure('ENOSPC')
          real.write(fd, buffer, position)
        },
      })),
    )
    await disk.stagePiece('s1', 0, first, piece(bytes.subarray(0, 6)))
    full = true
    expect(await disk.stagePiece('s1', 6, second, piece(bytes.subarray(6)))).toEqual(failedBy('NoSpace'))
    expect(await disk.stagedPieces('s1', [first, second])).toEqual([true, false])
  })
})

describe('stageLinks', () => {
  test('several at once: each has a result of its own', async () => {
    const { disk, at, seen } = await diskFolder()
    for (const name of ['a', 'b']) nodeFs.writeFileSync(at(name), name)
    const [a, b] = [await seen('a'), await seen('b')]
    nodeFs.appendFileSync(at('a'), 'later')
    const linkOf = (name: string, expect: typeof a) => ({
      stage: `s-${name}`,
      path: path(name),
      expect,
      content: contentOf(bytesOf(name), { modified: expect.mtime }),
    })
    expect(await disk.stageLinks([linkOf('a', a), linkOf('b', b)])).toEqual([{ tag: 'mismatch' }, { tag: 'staged' }])
  })

  test('a move: the same inode, and the old name is still what was seen', async () => {
    const { disk, at, seen } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'abc')
    const before = await seen('a')
    expect(
      (
        await disk.stageLinks([
          { stage: 's1', path: path('a'), expect: before, content: contentOf(bytesOf('abc'), { modified: before.mtime }) },
        ])
      )[0],
    ).toEqual({ tag: 'staged' })
    const results = await disk.apply([
      { tag: 'place', stage: 's1', path: path('b'), expect: undefined, grave: 'g1' },
      { tag: 'remove', path: path('a'), expect: before, grave: 'g2' },
    ])
    expect(results.map(({ tag }) => tag)).toEqual(['done', 'done'])
    expect((await seen('b')).inode).toBe(before.inode)
  })

  test('a move that brings another time or mode is no link: that would change the old name, too', async () => {
    const { disk, at, seen } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'abc')
    const before = await seen('a')
    const bytes = bytesOf('abc')
    for (const content of [contentOf(bytes), contentOf(bytes, { modified: before.mtime, executable: true })]) {
      expect((await disk.stageLinks([{ stage: 's1', path: path('a'), expect: before, content: content }]))[0]).toEqual({ tag: 'mismatch' })
    }
    expect(await seen('a')).toEqual(before)
  })

  test('a swap by stages: both files keep their content', async () => {
    const { disk, at, seen, text } = await diskFolder()
    const names = ['a', 'b']
    for (const name of names) nodeFs.writeFileSync(at(name), `was ${name}`)
    const [a, b] = [await seen('a'), await seen('b')]
    const same = (name: string, modified: string) => contentOf(bytesOf(`was ${name}`), { modified })
    expect((await disk.stageLinks([{ stage: 's1', path: path('a'), expect: a, content: same('a', a.mtime) }]))[0]).toEqual({
      tag: 'staged',
    })
    expect((await disk.stageLinks([{ stage: 's2', path: path('b'), expect: b, content: same('b', b.mtime) }]))[0]).toEqual({
      tag: 'staged',
    })
    const results = await disk.apply([
      { tag: 'place', stage: 's1', path: path('b'), expect: b, grave: 'g1' },
      { tag: 'place', stage: 's2', path: path('a'), expect: a, grave: 'g2' },
    ])
    expect(results.map(({ tag }) => tag)).toEqual(['done', 'done'])
    expect([text('a'), text('b')]).toEqual(['was b', 'was a'])
  })

  test('mismatch where the file is not what was expected, also when it changes meanwhile', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({ link: (from, to) => (nodeFs.writeFileSync(at('a'), 'changed'), real.link(from, to)) })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('a'), 'abc')
    const content = contentOf(bytesOf('abc'), { modified: (await folder.seen('a')).mtime })
    expect((await folder.disk.stageLinks([{ stage: 's1', path: path('a'), expect: await folder.seen('a'), content: content }]))[0]).toEqual(
      { tag: 'mismatch' },
    )
    expect(
      (await folder.disk.stageLinks([{ stage: 's1', path: path('none'), expect: await folder.seen('a'), content: content }]))[0],
    ).toEqual({ tag: 'mismatch' })
    expect(await folder.disk.leftovers()).toEqual(none)
  })

  test('says so where there are no links', async () => {
    const { disk, at, seen } = await diskFolder((fs) => failing(fs, 'link', 'EPERM'))
    nodeFs.writeFileSync(at('a'), 'abc')
    const content = contentOf(bytesOf('abc'), { modified: (await seen('a')).mtime })
    expect((await disk.stageLinks([{ stage: 's1', path: path('a'), expect: await seen('a'), content: content }]))[0]).toEqual(
      failedBy('NoPermission'),
    )
  })
})

test('dropping stages leaves graves, and the other way round', async () => {
  const { disk, at, stage } = await diskFolder()
  await stage('x', 'a')
  nodeFs.writeFileSync(at('.eventsync/grave/x'), '')
  await disk.dropStages(['x', 'none'])
  expect(await disk.leftovers()).toEqual({ stages: [], graves: ['x'] })
  await disk.dropGraves(['x', 'none'])
  expect(await disk.leftovers()).toEqual(none)
})
