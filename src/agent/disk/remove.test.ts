import * as nodeFs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { diskFolder, failedBy, failing, meddled, path, seenIn, sorted } from '../../../test/support/disk.ts'

const changed = { tag: 'changed' }
const gone = { tag: 'done', seen: undefined }

describe('remove', () => {
  test('takes a file or symlink into its grave', async () => {
    const { disk, at, text, seen, take } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'old')
    nodeFs.symlinkSync('x', at('l'))
    expect(await take({ tag: 'remove', path: path('a'), expect: await seen('a'), grave: 'g1' })).toEqual(gone)
    expect(await take({ tag: 'remove', path: path('l'), expect: await seen('l'), grave: 'g2' })).toEqual(gone)
    expect([text('.eventsync/grave/g1'), nodeFs.readlinkSync(at('.eventsync/grave/g2'))]).toEqual(['old', 'x'])
    expect((await disk.look([path('a'), path('l')])).map(({ tag }) => tag)).toEqual(['absent', 'absent'])
  })

  test.each(['written', 'written with its old time', 'replaced', 'removed', 'made a symlink'])(
    'leaves alone what is not what was expected: %s',
    async (how) => {
      const { disk, at, seen, take } = await diskFolder()
      nodeFs.writeFileSync(at('a'), 'old')
      nodeFs.utimesSync(at('a'), 5, 5)
      const expected = await seen('a')
      if (how.startsWith('written')) nodeFs.writeFileSync(at('a'), 'new')
      else nodeFs.unlinkSync(at('a'))
      if (how === 'replaced') nodeFs.writeFileSync(at('a'), 'old')
      if (how === 'made a symlink') nodeFs.symlinkSync('x', at('a'))
      if (how === 'written with its old time') nodeFs.utimesSync(at('a'), 5, 5)
      expect(await take({ tag: 'remove', path: path('a'), expect: expected, grave: 'g1' })).toEqual(changed)
      expect(await disk.leftovers()).toEqual({ stages: [], graves: [] })
    },
  )

  test('what was replaced between the check and the removal goes back (I3)', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        rename: (from, to) => {
          nodeFs.writeFileSync(at('tmp'), 'theirs')
          nodeFs.renameSync(at('tmp'), at('a'))
          real.rename(from, to)
        },
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('a'), 'old')
    expect(await folder.take({ tag: 'remove', path: path('a'), expect: await folder.seen('a'), grave: 'g1' })).toEqual(changed)
    expect(folder.text('a')).toBe('theirs')
    expect(await folder.disk.leftovers()).toEqual({ stages: [], graves: [] })
  })

  test('where even its name is taken by then, it stays in the grave (I3)', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        rename: (from, to) => {
          nodeFs.writeFileSync(at('tmp'), 'second')
          nodeFs.renameSync(at('tmp'), at('a'))
          real.rename(from, to)
          nodeFs.writeFileSync(at('a'), 'third')
        },
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('a'), 'first')
    expect(await folder.take({ tag: 'remove', path: path('a'), expect: await folder.seen('a'), grave: 'g1' })).toEqual(changed)
    expect([folder.text('a'), folder.text('.eventsync/grave/g1')]).toEqual(['third', 'second'])
  })

  test('never buries one thing over another', async () => {
    const { at, seen, take, text } = await diskFolder()
    nodeFs.writeFileSync(at('a'), 'a')
    nodeFs.writeFileSync(at('b'), 'b')
    expect(await take({ tag: 'remove', path: path('a'), expect: await seen('a'), grave: 'g1' })).toEqual(gone)
    expect(await take({ tag: 'remove', path: path('b'), expect: await seen('b'), grave: 'g1' })).toEqual(failedBy('Io'))
    expect([text('b'), text('.eventsync/grave/g1')]).toEqual(['b', 'a'])
  })

  test('a directory goes only when it is empty', async () => {
    const { at, seen, take } = await diskFolder()
    nodeFs.mkdirSync(at('d'))
    const expected = await seen('d')
    nodeFs.writeFileSync(at('d/ignored'), '')
    expect(await take({ tag: 'remove', path: path('d'), expect: expected, grave: 'g1' })).toEqual(failedBy('NotEmpty'))
    nodeFs.unlinkSync(at('d/ignored'))
    expect(await take({ tag: 'remove', path: path('d'), expect: expected, grave: 'g1' })).toEqual(gone)
    nodeFs.writeFileSync(at('d'), '')
    expect(await take({ tag: 'remove', path: path('d'), expect: expected, grave: 'g1' })).toEqual(changed)
  })

  test('in one call: files, their directory, and a file in its place', async () => {
    const { disk, at, seen, stage, text } = await diskFolder()
    nodeFs.mkdirSync(at('d'))
    nodeFs.writeFileSync(at('d/a'), 'a')
    await stage('s1', 'now a file')
    const results = await disk.apply([
      { tag: 'remove', path: path('d/a'), expect: await seen('d/a'), grave: 'g1' },
      { tag: 'remove', path: path('d'), expect: await seen('d'), grave: 'g2' },
      { tag: 'place', stage: 's1', path: path('d'), expect: undefined, grave: 'g3' },
      { tag: 'mkdir', path: path('d/e') },
    ])
    expect(results).toMatchObject([gone, gone, { tag: 'done' }, failedBy('BadParent')])
    expect(text('d')).toBe('now a file')
  })

  test('under a parent that is no longer a directory there is nothing to remove', async () => {
    const { at, seen, take } = await diskFolder()
    nodeFs.mkdirSync(at('d'))
    nodeFs.writeFileSync(at('d/a'), 'a')
    const expected = await seen('d/a')
    nodeFs.renameSync(at('d'), at('elsewhere'))
    nodeFs.symlinkSync('elsewhere', at('d'))
    expect(await take({ tag: 'remove', path: path('d/a'), expect: expected, grave: 'g1' })).toEqual(changed)
    expect(nodeFs.existsSync(at('elsewhere/a'))).toBe(true)
  })
})

describe('aside', () => {
  test('gives a file, symlink or directory another name', async () => {
    const { disk, at, seen, take } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'f')
    nodeFs.symlinkSync('x', at('l'))
    nodeFs.mkdirSync(at('d'))
    nodeFs.writeFileSync(at('d/in'), '')
    for (const name of ['f', 'l', 'd']) {
      const result = await take({ tag: 'aside', path: path(name), expect: await seen(name), to: path(`${name} (conflict)`) })
      expect(result).toEqual({ tag: 'done', seen: await seen(`${name} (conflict)`) })
    }
    expect(sorted(nodeFs.readdirSync(at('')))).toEqual(['.eventsync', 'd (conflict)', 'f (conflict)', 'l (conflict)'])
    expect(await disk.leftovers()).toEqual({ stages: [], graves: [] })
  })

  test.each([undefined, 'EPERM'])('never over something that exists (link: %s)', async (code) => {
    const { at, seen, take, text } = await diskFolder((fs) => (code === undefined ? fs : failing(fs, 'link', code)))
    nodeFs.writeFileSync(at('f'), 'f')
    nodeFs.mkdirSync(at('d'))
    nodeFs.writeFileSync(at('taken'), 'taken')
    for (const name of ['f', 'd'])
      expect(await take({ tag: 'aside', path: path(name), expect: await seen(name), to: path('taken') })).toEqual(changed)
    expect([text('f'), text('taken')]).toEqual(['f', 'taken'])
  })

  test('a file that was replaced meanwhile keeps its name, and no copy of the old one stays', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        link: (from, to) => {
          real.link(from, to)
          if (from !== 'f') return
          nodeFs.writeFileSync(at('tmp'), 'theirs')
          nodeFs.renameSync(at('tmp'), at('f'))
        },
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('f'), 'old')
    expect(await folder.take({ tag: 'aside', path: path('f'), expect: await folder.seen('f'), to: path('copy') })).toEqual(changed)
    expect(folder.text('f')).toBe('theirs')
    expect(sorted(nodeFs.readdirSync(at('')))).toEqual(['.eventsync', 'f'])
  })

  test('what somebody put to the new name meanwhile stays when the step is taken back (I3)', async () => {
    let at: (name: string) => string = () => ''
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        rename: (from, to) => {
          for (const name of ['f', 'copy']) {
            nodeFs.writeFileSync(at('theirs'), `theirs, ${name}`)
            nodeFs.renameSync(at('theirs'), at(name))
          }
          real.rename(from, to)
        },
      })),
    )
    at = folder.at
    nodeFs.writeFileSync(at('f'), 'old')
    expect(await folder.take({ tag: 'aside', path: path('f'), expect: await folder.seen('f'), to: path('copy') })).toEqual(changed)
    expect([folder.text('f'), folder.text('copy')]).toEqual(['theirs, f', 'theirs, copy'])
  })
})

describe('touch', () => {
  test('sets time and executable bit, keeps the other bits, strips setuid', async () => {
    const { at, seen, take } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'f')
    nodeFs.chmodSync(at('f'), 0o4644)
    const result = await take({ tag: 'touch', path: path('f'), expect: await seen('f'), executable: true, modified: '1600000000000001999' })
    expect(result).toEqual({ tag: 'done', seen: await seen('f') })
    expect(seenIn(result).mtime.slice(0, -3)).toBe('1600000000000001')
    expect(nodeFs.statSync(at('f')).mode & 0o7777).toBe(0o755)
    await take({ tag: 'touch', path: path('f'), expect: await seen('f'), executable: false, modified: '-1999' })
    expect((await seen('f')).mtime).toMatch(/^-1\d\d\d$/)
    expect(nodeFs.statSync(at('f')).mode & 0o7777).toBe(0o644)
  })

  test("sets a symlink's own time, and nothing of what it leads to", async () => {
    const { at, seen, take } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'f')
    nodeFs.symlinkSync('f', at('l'))
    const [file, link] = [await seen('f'), await seen('l')]
    const result = await take({ tag: 'touch', path: path('l'), expect: link, executable: true, modified: '1600000000123456000' })
    expect(result).toEqual({ tag: 'done', seen: await seen('l') })
    expect([seenIn(result).mtime.slice(0, -3), seenIn(result).inode]).toEqual(['1600000000123456', link.inode])
    expect(await seen('f')).toEqual(file)
  })

  test('leaves alone what is not what was expected', async () => {
    const { at, seen, take } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'f')
    const expected = await seen('f')
    nodeFs.writeFileSync(at('f'), 'other')
    expect(await take({ tag: 'touch', path: path('f'), expect: expected, executable: true, modified: '1' })).toEqual(changed)
    expect((await seen('f')).executable).toBe(false)
  })
})
