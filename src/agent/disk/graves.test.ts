import * as nodeFs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { diskFolder, failing, folding, meddled, path } from '../../../test/support/disk.ts'
import { EMPTY_HASH } from '../../domain/content.ts'
import { sha256 } from '../../protocol/hash.ts'

const changed = { tag: 'changed' }

describe('inspectGraves', () => {
  test('tells what a grave holds now, read again', async () => {
    const { disk, at, seen, take } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'old')
    const writer = nodeFs.openSync(at('a'), 'r+')
    await take({ tag: 'remove', path: path('a'), expect: await seen('a'), grave: 'g1' })
    expect(await disk.inspectGraves(['g1', 'none'])).toMatchObject([{ tag: 'there', hash: sha256('old') }, { tag: 'gone' }])
    nodeFs.writeSync(writer, 'written by one who had it open', 0)
    nodeFs.closeSync(writer)
    expect(await disk.inspectGraves(['g1'])).toMatchObject([
      { tag: 'there', seen: { size: 30 }, hash: sha256('written by one who had it open') },
    ])
  })

  test('reads only what may have changed: known inodes answer by their stat, unless they were young when buried', async () => {
    const opened: string[] = []
    const { disk, at, seen, take } = await diskFolder((fs) =>
      meddled(fs, (real) => ({ open: (name, flags) => (opened.push(name), real.open(name, flags)) })),
    )
    for (const name of ['aged', 'young', 'written']) nodeFs.writeFileSync(at(name), name)
    for (const name of ['aged', 'written']) nodeFs.utimesSync(at(name), 5, 5)
    const names = ['aged', 'young', 'written']
    const buried = await Promise.all(names.map(async (name) => ({ seen: await seen(name), hash: EMPTY_HASH })))
    const writer = nodeFs.openSync(at('written'), 'r+')
    for (const [i, name] of names.entries()) await take({ tag: 'remove', path: path(name), expect: buried[i]!.seen, grave: name })
    nodeFs.writeSync(writer, 'WRITTEN', 0)
    nodeFs.closeSync(writer)
    expect((await disk.inspectGraves(names, buried)).map((grave) => grave.tag === 'there' && grave.hash)).toEqual([
      EMPTY_HASH,
      sha256('young'),
      sha256('WRITTEN'),
    ])
    expect(opened).toEqual(['.eventsync/grave/young', '.eventsync/grave/written'])
  })

  test('a grave that cannot be read is not gone', async () => {
    const { disk, at } = await diskFolder((fs) => failing(fs, 'open', 'EIO'))
    nodeFs.writeFileSync(at('.eventsync/grave/g1'), '')
    expect(await disk.inspectGraves(['g1'])).toEqual([{ tag: 'unstable' }])
  })
})

describe('exhume', () => {
  test('brings a grave back under a new name, never over anything', async () => {
    const { disk, at, seen, text } = await diskFolder()
    nodeFs.writeFileSync(at('.eventsync/grave/g1'), 'written meanwhile')
    nodeFs.writeFileSync(at('taken'), 'taken')
    expect(await disk.exhume('g1', path('taken'))).toEqual(changed)
    expect(await disk.exhume('g1', path('none/a'))).toMatchObject({ error: { tag: 'BadParent' } })
    expect(await disk.exhume('g1', path('copy'))).toEqual({ tag: 'done', seen: await seen('copy') })
    expect([text('copy'), text('taken')]).toEqual(['written meanwhile', 'taken'])
    expect(await disk.exhume('g1', path('again'))).toMatchObject({ tag: 'failed', error: { tag: 'Io' } })
    expect(await disk.leftovers()).toEqual({ stages: [], graves: [] })
  })

  test('a name that is taken for another is a clash (I14)', async () => {
    const { disk, at } = await diskFolder(folding)
    nodeFs.writeFileSync(at('.eventsync/grave/g1'), 'x')
    nodeFs.writeFileSync(at('copy'), '')
    expect(await disk.exhume('g1', path('Copy'))).toMatchObject({ error: { tag: 'NameClash', with: 'copy' } })
  })
})
