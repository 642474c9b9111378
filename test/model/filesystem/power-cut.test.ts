import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomFrom } from '../random.ts'
import { call, Runner } from './operations.ts'
import { SimDisk, type DiskObserver, type DiskTraits } from './sim-disk.ts'

const NOBODY: DiskObserver = { names: () => {}, bytes: () => {}, attributes: () => {}, looked: () => {}, inexact: () => {} }
const TRAITS: DiskTraits = { folding: 'exact', clockTickNs: 1n, storedTickNs: 1n, reusesInodes: true, hardLinks: true, readSize: 1 << 20 }

const newDisk = (): SimDisk => {
  let now = 1_700_000_000_000_000_000n
  return new SimDisk(TRAITS, 7n, () => (now += 1_000_000n), NOBODY)
}

const textAt = (disk: SimDisk, path: string): string => {
  const buffer = Buffer.alloc(disk.lstat(path).size)
  const fd = disk.open(path, 'r')
  disk.read(fd, buffer, 0)
  disk.close(fd)
  return buffer.toString()
}

const put = (disk: SimDisk, path: string, text: string): void => {
  const fd = disk.open(path, 'wx')
  disk.write(fd, Buffer.from(text), 0)
  disk.close(fd)
}

/** All paths with what is there. */
const treeOf = (disk: SimDisk, path = ''): string[] =>
  disk.readdir(path).flatMap(({ raw }) => {
    const inside = path === '' ? raw : `${path}/${raw}`
    const { kind } = disk.lstat(inside)
    return kind === 'directory'
      ? [`${inside}/`, ...treeOf(disk, inside)]
      : [`${inside} ${kind === 'file' ? textAt(disk, inside) : disk.readlink(inside)}`]
  })

const seeds = { numRuns: 300 }

test('after a sync of everything a power cut changes nothing', () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), fc.integer(), (calls, seed) => {
      const disk = newDisk()
      const runner = new Runner(disk)
      for (const each of calls) runner.run(each)
      disk.syncAll()
      const before = treeOf(disk).toSorted()
      disk.powerCut(randomFrom(seed))
      expect(treeOf(disk).toSorted()).toEqual(before)
    }),
    seeds,
  )
})

test('a file that was synced before it was renamed over another is there whole, as the old one or the new one', () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const disk = newDisk()
    put(disk, 'a', 'old')
    disk.syncAll()
    put(disk, 'b', 'new')
    const fd = disk.open('b', 'r')
    disk.fsync(fd)
    disk.rename('b', 'a')
    disk.powerCut(randomFrom(seed))
    seen.add(textAt(disk, 'a'))
  }
  expect([...seen].toSorted()).toEqual(['new', 'old'])
})

test('a file that was not synced may be empty, short or whole, or have no name', () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 400; seed++) {
    const disk = newDisk()
    put(disk, 'a', 'ab')
    disk.powerCut(randomFrom(seed))
    seen.add(disk.readdir('').length === 0 ? 'none' : textAt(disk, 'a'))
  }
  expect([...seen].toSorted()).toEqual(['', 'a', 'ab', 'none'])
})

test('bytes written over synced ones may be the old ones under the new times', () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 200; seed++) {
    const disk = newDisk()
    put(disk, 'a', 'old')
    disk.syncAll()
    const { mtimeNs } = disk.lstat('a')
    const fd = disk.open('a', 'r+')
    disk.write(fd, Buffer.from('new'), 0)
    disk.powerCut(randomFrom(seed))
    seen.add(`${textAt(disk, 'a')} ${disk.lstat('a').mtimeNs === mtimeNs ? 'then' : 'now'}`)
  }
  expect([...seen]).toEqual(expect.arrayContaining(['old then', 'old now', 'new now']))
})

test('names persist in the order they were made, and up to a directory that was synced', () => {
  for (let seed = 0; seed < 100; seed++) {
    const disk = newDisk()
    disk.mkdir('d', 0o755)
    put(disk, 'a', '')
    disk.fsyncDirectory('')
    put(disk, 'b', '')
    disk.rename('a', 'd/a')
    disk.powerCut(randomFrom(seed))
    const names = treeOf(disk)
      .map((line) => line.trim())
      .toSorted()
    expect([
      ['a', 'd/'],
      ['a', 'b', 'd/'],
      ['b', 'd/', 'd/a'],
    ]).toContainEqual(names)
  }
})
