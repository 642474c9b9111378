import * as nodeFs from 'node:fs'
import { describe, expect, test } from 'vitest'
import { diskFolder, failure, meddled, path, sorted, type DiskFolder } from '../../../test/support/disk.ts'
import type { FileSystem } from '../../filesystem/port.ts'

interface Recorded {
  readonly folder: DiskFolder
  readonly synced: string[]
}

/** A folder whose file system writes down what was made durable. */
const recorded = async (wrap: (fs: FileSystem) => FileSystem = (fs) => fs): Promise<Recorded> => {
  const synced: string[] = []
  const opened = new Map<number, string>()
  const folder = await diskFolder((plain) =>
    meddled(wrap(plain), (real) => ({
      open: (name, flags) => {
        const fd = real.open(name, flags)
        opened.set(fd, name)
        return fd
      },
      fsync: (fd) => {
        real.fsync(fd)
        synced.push(opened.get(fd) ?? '')
      },
      fsyncDirectory: (name) => {
        real.fsyncDirectory(name)
        synced.push(`${name}/`)
      },
      syncAll: () => {
        real.syncAll()
        synced.push('all')
      },
    })),
  )
  return { folder, synced }
}

const many = Array.from({ length: 100 }, (_, i) => `s${i}`)

describe('persist', () => {
  test('a few paths: each content, each directory that holds a name', async () => {
    const { folder, synced } = await recorded()
    nodeFs.mkdirSync(folder.at('d/e'), { recursive: true })
    for (const name of ['a', 'd/b', 'd/c']) nodeFs.writeFileSync(folder.at(name), 'x')
    nodeFs.symlinkSync('x', folder.at('d/l'))
    expect(await folder.disk.persist(['a', 'd', 'd/b', 'd/c', 'd/l', 'd/e', 'd/removed', 'gone/with/all'].map(path))).toBeUndefined()
    expect(synced.slice(0, 3)).toEqual(['a', 'd/b', 'd/c'])
    expect(sorted(synced.slice(3))).toEqual(['/', 'd/', 'd/e/'])
  })

  test('many paths or stages: one sync of the file system; none: nothing', async () => {
    const { folder, synced } = await recorded()
    expect(await folder.disk.persist(many.map(path))).toBeUndefined()
    expect(await folder.disk.persistStages(many)).toBeUndefined()
    expect(await folder.disk.persist([])).toBeUndefined()
    expect(await folder.disk.persistStages([])).toBeUndefined()
    expect(synced).toEqual(['all', 'all'])
  })

  test('stages and paths together: one sync for all, or each of a few', async () => {
    const { folder, synced } = await recorded()
    nodeFs.writeFileSync(folder.at('a'), 'x')
    expect(await folder.disk.persistStages(many, ['a'].map(path))).toBeUndefined()
    expect(synced.splice(0)).toEqual(['all'])
    await folder.stage('s1', 'x')
    expect(await folder.disk.persistStages(['s1'], ['a'].map(path))).toBeUndefined()
    expect(synced).toEqual(['.eventsync/stage/s1', 'a', '/'])
  })

  test('a few stages: each of them', async () => {
    const { folder, synced } = await recorded()
    await folder.stage('s1', 'x')
    expect(await folder.disk.persistStages(['s1'])).toBeUndefined()
    expect(synced).toEqual(['.eventsync/stage/s1'])
  })

  test('what cannot be opened is made durable by a sync of all', async () => {
    const { folder, synced } = await recorded((fs) =>
      meddled(fs, () => ({
        open: () => {
          throw failure('EACCES')
        },
      })),
    )
    nodeFs.writeFileSync(folder.at('a'), 'x')
    expect(await folder.disk.persist([path('a')])).toBeUndefined()
    expect(synced).toEqual(['all'])
  })

  test('a write that failed is an error, and no later sync hides it (I17)', async () => {
    const { folder, synced } = await recorded((fs) =>
      meddled(fs, () => ({
        fsync: () => {
          throw failure('EIO')
        },
      })),
    )
    nodeFs.writeFileSync(folder.at('a'), 'x')
    await folder.stage('s1', 'x')
    expect(await folder.disk.persist([path('a')])).toMatchObject({ tag: 'Io' })
    expect(await folder.disk.persistStages(['s1'])).toMatchObject({ tag: 'Io' })
    expect(synced).toEqual([])
  })

  test('in a folder that another disk was mounted over nothing is durable, by whatever sync (I17)', async () => {
    const { folder } = await recorded()
    nodeFs.writeFileSync(folder.at('a'), 'x')
    nodeFs.rmSync(folder.at('.eventsync/marker'))
    expect(await folder.disk.persist([path('a')])).toMatchObject({ tag: 'Io' })
    expect(await folder.disk.persist(many.map(path))).toMatchObject({ tag: 'Io' })
    expect(await folder.disk.persistStages(many, [path('a')])).toMatchObject({ tag: 'Io' })
  })

  test('under a mounted disk everything is synced, since no fsync reaches what lies there (I17)', async () => {
    const { folder, synced } = await recorded((fs) =>
      meddled(fs, (real) => ({ lstat: (name) => ({ ...real.lstat(name), dev: name.startsWith('d') ? 2n : 1n }) })),
    )
    nodeFs.mkdirSync(folder.at('d'))
    for (const gone of ['d/a', 'd/e/a']) expect(await folder.disk.persist([path(gone)])).toBeUndefined()
    expect(synced).toEqual(['all', 'all'])
  })
})
