import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/support/disk.ts'
import { nodeFileSystem } from './node.ts'

const create = (files: ReturnType<typeof nodeFileSystem>, name: string, text: string): void => {
  const fd = files.open(name, 'wx')
  files.write(fd, Buffer.from(text), 0)
  files.close(fd)
}

describe('nodeFileSystem', () => {
  test('files: exclusive creation, reading at a position, writing into, cutting', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(root)
    create(files, 'a', 'hello')
    expect(() => files.open('a', 'wx')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    const fd = files.open('a', 'r+')
    files.write(fd, Buffer.from('J'), 0)
    const buffer = new Uint8Array(10)
    expect(files.read(fd, buffer, 1)).toBe(4)
    expect(files.read(fd, buffer, 5)).toBe(0)
    files.truncate(fd, 2)
    files.fsync(fd)
    expect(files.fstat(fd)).toEqual(files.lstat('a'))
    files.close(fd)
    expect(fs.readFileSync(join(root, 'a'), 'utf8')).toBe('Je')
  })

  test('never follows a final symlink, and never waits for a FIFO', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(root)
    create(files, 'a', 'x')
    files.symlink('a', 'l')
    for (const flags of ['r', 'r+'] as const) expect(() => files.open('l', flags)).toThrow(expect.objectContaining({ code: 'ELOOP' }))
    expect(() => files.open('l', 'wx')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(() => files.chmod('l', 0o777)).toThrow(expect.objectContaining({ code: 'ELOOP' }))
    files.utimes('l', 5_000_000_000n)
    expect(files.lstat('l').mtimeNs / 1000n).toBe(5_000_000n)
    expect(files.lstat('a').mtimeNs / 1000n).not.toBe(5_000_000n)
    execFileSync('/usr/bin/mkfifo', [join(root, 'fifo')])
    files.close(files.open('fifo', 'r'))
    expect(files.lstat('fifo').kind).toBe('other')
  })

  test('a time comes back as the same microsecond', () => {
    const files = nodeFileSystem(temporaryFolder())
    create(files, 'a', '')
    const floor = (ns: bigint): bigint => (ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n
    const times = fc.bigInt({ min: -2_000_000_000_000_000_000n, max: 4_294_967_295_000_000_000n })
    fc.assert(
      fc.property(times, (ns) => {
        files.utimes('a', ns)
        expect(floor(files.lstat('a').mtimeNs)).toBe(floor(ns))
      }),
      { numRuns: 1000, examples: [[0n], [-1n], [-1000n], [999n], [1_700_000_000_001_000_000n], [4_102_444_800_000_000_001n]] },
    )
  })

  test('whole seconds come back to the nanosecond', () => {
    const files = nodeFileSystem(temporaryFolder())
    create(files, 'a', '')
    for (const ns of [0n, 1_685_030_075_000_000_000n, 4_294_967_295_000_000_000n]) {
      files.utimes('a', ns)
      expect(files.lstat('a').mtimeNs).toBe(ns)
    }
  })

  test('names that are not UTF-8 are told from those that hold U+FFFD', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(root)
    for (const name of ['\ufffd', 'plain', '\ufeffbom']) create(files, name, '')
    fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x0a, 0x61])]), '')
    expect(files.readdir('').toSorted((a, b) => (a.raw < b.raw ? -1 : 1))).toEqual([
      { name: undefined, raw: '\\xff\\x0aa' },
      { name: 'plain', raw: 'plain' },
      { name: '\ufeffbom', raw: '\ufeffbom' },
      { name: '\ufffd', raw: '\ufffd' },
    ])
  })

  test('so are targets of symlinks', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(root)
    files.symlink('\ufffd', 'good')
    fs.symlinkSync(Buffer.from([0xff]), join(root, 'bad'))
    expect(files.readlink('good')).toBe('\ufffd')
    expect(() => files.readlink('bad')).toThrow(expect.objectContaining({ code: 'EILSEQ' }))
  })

  test('links, renames, removes, and makes durable', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(`${root}/`)
    files.mkdir('d', 0o700)
    create(files, 'd/a', 'x')
    files.link('d/a', 'b')
    expect(files.lstat('b').nlink).toBe(2)
    expect(() => files.link('d/a', 'b')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(() => files.rmdir('d')).toThrow(expect.objectContaining({ code: 'ENOTEMPTY' }))
    files.rename('d/a', 'c')
    files.chmod('c', 0o600)
    files.unlink('b')
    files.rmdir('d')
    files.fsyncDirectory('')
    files.syncAll()
    expect(files.readdir('')).toEqual([{ name: 'c', raw: 'c' }])
    expect(files.lstat('c')).toMatchObject({ kind: 'file', size: 1, mode: 0o600, nlink: 1 })
    expect(files.lstat('').kind).toBe('directory')
  })

  test('directories that are held are found whatever takes their name, until they are forgotten', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(root)
    files.mkdir('d', 0o700)
    files.mkdir('other', 0o700)
    create(files, 'a', 'x')
    {
      using held = files.hold?.()
      files.link('a', 'd/first')
      files.rename('d', 'was')
      files.symlink('other', 'd')
      files.link('a', 'd/second')
      held?.forget()
      expect(() => files.link('a', 'd/third')).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
    }
    expect([fs.readdirSync(join(root, 'was')).toSorted(), fs.readdirSync(join(root, 'other'))]).toEqual([['first', 'second'], []])
  })

  test('more directories are held one after the other than are open at once, and none stays open', () => {
    const root = temporaryFolder()
    const files = nodeFileSystem(root)
    const names = Array.from({ length: 300 }, (_, n) => `d${n}`)
    create(files, 'a', 'x')
    {
      using _held = files.hold?.()
      for (const name of names) {
        files.mkdir(name, 0o700)
        files.link('a', `${name}/a`)
      }
      for (const [at, name] of names.entries()) files.rename(`${name}/a`, `${names[(at + 1) % names.length]}/b`)
    }
    expect(names.map((name) => fs.readdirSync(join(root, name)).join())).toEqual(names.map(() => 'b'))
    const open = fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return fs.readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return []
      }
    })
    expect(open.filter((each) => each.startsWith(root))).toEqual([])
  })

  test('a sync that fails is told', () => {
    const root = temporaryFolder()
    expect(() => nodeFileSystem(join(root, 'none')).syncAll()).toThrow(expect.objectContaining({ code: 'EIO' }))
  })
})
