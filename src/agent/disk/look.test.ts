import * as nodeFs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { diskFolder, failing, folding, meddled, path, sorted, temporaryFolder, unknownBy } from '../../../test/support/disk.ts'
import type { FileSystem } from '../../filesystem/port.ts'

const mountedAt =
  (where: string) =>
  (fs: FileSystem): FileSystem =>
    meddled(fs, (real) => ({
      lstat: (name) => ({ ...real.lstat(name), ...(name === where || name.startsWith(`${where}/`) ? { dev: 99n } : {}) }),
    }))

describe('look', () => {
  test('tells files, directories, symlinks, special files and nothing apart', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.writeFileSync(at('f'), 'abc', { mode: 0o755 })
    nodeFs.mkdirSync(at('d'))
    nodeFs.symlinkSync('target', at('l'))
    nodeFs.symlinkSync('d', at('to-d'))
    nodeFs.writeFileSync(at('d/in'), '')
    const stat = nodeFs.lstatSync(at('f'), { bigint: true })
    const looks = await disk.look(['f', 'd', 'l', 'none', 'f/x', 'to-d/in', 'd/in'].map(path))
    expect(looks[0]).toEqual({
      tag: 'seen',
      path: 'f',
      seen: { kind: 'file', size: 3, mtime: String(stat.mtimeNs), ctime: String(stat.ctimeNs), inode: String(stat.ino), executable: true },
    })
    expect(looks[1]).toMatchObject({ seen: { kind: 'directory', size: 0, executable: false } })
    expect(looks[2]).toMatchObject({ seen: { kind: 'symlink', size: 6, executable: false } })
    expect(looks.slice(3).map(({ tag }) => tag)).toEqual(['absent', 'absent', 'absent', 'seen'])
  })

  test('what is neither file, directory nor symlink is special', async () => {
    const { disk } = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        lstat: (name) => ({ ...real.lstat(name === 'socket' ? '' : name), ...(name === 'socket' ? { kind: 'other' } : {}) }),
      })),
    )
    expect(await disk.look([path('socket')])).toMatchObject([{ tag: 'special', path: 'socket' }])
  })

  test.each([
    ['EACCES', 'NoPermission'],
    ['EIO', 'Io'],
  ])('%s leaves it unknown, and what is under it', async (code, tag) => {
    const { disk, at } = await diskFolder((fs) => failing(fs, 'lstat', code, (name) => name === 'd'))
    nodeFs.mkdirSync(at('d'))
    expect(await disk.look([path('d'), path('d/x'), path('other')])).toMatchObject([unknownBy(tag), unknownBy(tag), { tag: 'absent' }])
  })

  test('another device mounted inside is unknown, and all that is under it', async () => {
    const { disk, at } = await diskFolder(mountedAt('d'))
    nodeFs.mkdirSync(at('d/e'), { recursive: true })
    expect(await disk.look([path('d'), path('d/e'), path('d/none')])).toMatchObject([
      unknownBy('Io', 'device'),
      unknownBy('Io', 'device'),
      unknownBy('Io', 'device'),
    ])
  })

  test('a name too long to be there is absent', async () => {
    const { disk } = await diskFolder((fs) => failing(fs, 'lstat', 'ENAMETOOLONG', (name) => name === 'x'))
    expect(await disk.look([path('x')])).toEqual([{ tag: 'absent', path: 'x' }])
  })

  test('in a folder that has lost its marker, or is gone, nothing is absent (I15)', async () => {
    const { disk, at, root } = await diskFolder()
    nodeFs.writeFileSync(at('f'), '')
    nodeFs.unlinkSync(at('.eventsync/marker'))
    expect(await disk.look([path('f'), path('none')])).toMatchObject([unknownBy('Io', 'marker'), unknownBy('Io', 'marker')])
    expect(await disk.read([path('none')])).toMatchObject([{ tag: 'failed' }])
    expect(await disk.list([''])).toMatchObject([{ result: unknownBy('Io', 'marker') }])
    nodeFs.renameSync(root, `${root}-away`)
    expect(await disk.look([path('f')])).toMatchObject([unknownBy('Io', 'marker')])
    expect(await disk.list(['', path('d')])).toMatchObject([{ result: unknownBy('Io', 'marker') }, { result: unknownBy('Io', 'marker') }])
    nodeFs.renameSync(`${root}-away`, root)
  })

  test('unmounted in the middle of a call: nothing is absent (I15)', async () => {
    let at: (name: string) => string = String
    const folder = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        lstat: (name) => {
          if (name === 'b') nodeFs.rmSync(at(''), { recursive: true })
          return real.lstat(name)
        },
      })),
    )
    at = folder.at
    expect(await folder.disk.look([path('a'), path('b'), path('c')])).toMatchObject([unknownBy('Io'), unknownBy('Io'), unknownBy('Io')])
    nodeFs.mkdirSync(folder.root)
  })

  test('where names are folded, another spelling is absent (I14)', async () => {
    const { disk, at } = await diskFolder(folding)
    nodeFs.mkdirSync(at('dir'))
    nodeFs.writeFileSync(at('dir/\u00e9'), '')
    const looks = await disk.look(['dir/\u00e9', 'dir/e\u0301', 'dir/\u00c9', 'DIR/\u00e9', 'Dir', 'dir'].map(path))
    expect(looks.map(({ tag }) => tag)).toEqual(['seen', 'absent', 'absent', 'absent', 'absent', 'seen'])
    expect(await disk.list([path('DIR')])).toEqual([{ directory: 'DIR', result: { tag: 'absent' } }])
    expect(await disk.read([path('dir/\u00c9')])).toEqual([{ tag: 'absent', path: 'dir/\u00c9' }])
  })
})

describe('list', () => {
  test('lists exact names, without its own directory at the root', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.mkdirSync(at('d/.eventsync'), { recursive: true })
    const names = ['b', 'a\nb', ' x', '\\', '\u00e9', 'e\u0301', 'A', 'a', '\ufffd']
    for (const name of names) nodeFs.writeFileSync(at(name), '')
    const [root, d, none, file] = await disk.list(['', path('d'), path('none'), path('b')])
    expect(root?.result).toMatchObject({ tag: 'listed', unnameable: [] })
    const listed = root?.result.tag === 'listed' ? sorted(root.result.entries.map((entry) => entry.path)) : []
    expect(listed).toEqual(sorted(['d', ...names]))
    expect(d?.result).toMatchObject({ entries: [{ tag: 'seen', path: 'd/.eventsync', seen: { kind: 'directory' } }] })
    expect([none?.result, file?.result]).toEqual([{ tag: 'absent' }, { tag: 'absent' }])
  })

  test('names that are not UTF-8 are reported, beside the others', async () => {
    const { disk, at, root } = await diskFolder()
    nodeFs.writeFileSync(at('fine'), '')
    nodeFs.writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]), '')
    expect((await disk.list(['']))[0]?.result).toMatchObject({ tag: 'listed', entries: [{ path: 'fine' }], unnameable: ['caf\\xe9'] })
  })

  test('a path that would be longer than 4,096 bytes is reported, too', async () => {
    const deep = Array.from({ length: 16 }, () => 'x'.repeat(250)).join('/')
    const { disk } = await diskFolder((fs) =>
      meddled(fs, (real) => ({
        lstat: (name) => real.lstat(deep.startsWith(name) ? '' : name),
        readdir: (name) => (name === deep ? [{ name: 'y'.repeat(200), raw: 'y' }] : real.readdir(name)),
      })),
    )
    expect((await disk.list([path(deep)]))[0]?.result).toEqual({ tag: 'listed', entries: [], unnameable: ['y'] })
  })

  test('a directory that cannot be listed whole is unknown, not empty', async () => {
    const { disk, at } = await diskFolder((fs) => failing(fs, 'readdir', 'EACCES', (name) => name === 'd'))
    nodeFs.mkdirSync(at('d'))
    expect(await disk.list([path('d')])).toMatchObject([{ result: unknownBy('NoPermission') }])
  })

  test('another device mounted inside is unknown: as an entry and as a directory', async () => {
    const { disk, at } = await diskFolder(mountedAt('d'))
    nodeFs.mkdirSync(at('d'))
    expect(await disk.list(['', path('d')])).toMatchObject([
      { result: { entries: [unknownBy('Io', 'device')] } },
      { result: unknownBy('Io', 'device') },
    ])
  })

  test('an entry that goes away meanwhile is not in it', async () => {
    const { disk, at } = await diskFolder((fs) => failing(fs, 'lstat', 'ENOENT', (name) => name === 'a'))
    nodeFs.writeFileSync(at('a'), '')
    nodeFs.writeFileSync(at('b'), '')
    expect(await disk.list([''])).toMatchObject([{ result: { entries: [{ path: 'b' }] } }])
  })

  test('a directory that a symlink leads to is not one (I11)', async () => {
    const { disk, at } = await diskFolder()
    nodeFs.symlinkSync(temporaryFolder(), at('l'))
    expect(await disk.list([path('l')])).toEqual([{ directory: 'l', result: { tag: 'absent' } }])
  })
})
