import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { containing, failing, folding, temporaryFolder } from '../../../test/support/disk.ts'
import { nodeFileSystem } from '../../filesystem/node.ts'
import { inlineDisk } from './inline.ts'

describe('root', () => {
  test('missing, unmarked and empty, unmarked, marked', async () => {
    const root = join(temporaryFolder(), 'root')
    const disk = inlineDisk(nodeFileSystem(root))
    expect(await disk.root()).toEqual({ tag: 'missing', reason: 'it is not there' })
    nodeFs.mkdirSync(root)
    expect(await disk.root()).toEqual({ tag: 'unmarked', empty: true, exactNames: true })
    expect(nodeFs.readdirSync(root)).toEqual([])
    nodeFs.writeFileSync(join(root, 'f'), '')
    expect(await disk.root()).toEqual({ tag: 'unmarked', empty: false, exactNames: true })
    expect(await disk.mark('marker one')).toBeUndefined()
    expect(await disk.root()).toEqual({ tag: 'ok', marker: 'marker one', exactNames: true })
    expect(await disk.mark('marker two')).toBeUndefined()
    expect(await disk.root()).toEqual({ tag: 'ok', marker: 'marker two', exactNames: true })
    expect(nodeFs.statSync(join(root, '.eventsync')).mode & 0o777).toBe(0o700)
  })

  test('a file is no root; a symlink to a directory is one', async () => {
    const folder = temporaryFolder()
    nodeFs.writeFileSync(join(folder, 'file'), '')
    nodeFs.mkdirSync(join(folder, 'real'))
    nodeFs.symlinkSync('real', join(folder, 'link'))
    expect(await inlineDisk(nodeFileSystem(join(folder, 'file'))).root()).toMatchObject({ tag: 'missing' })
    expect(await inlineDisk(nodeFileSystem(join(folder, 'link'))).root()).toMatchObject({ tag: 'unmarked' })
  })

  test('a root or marker that cannot be read is missing, not unmarked', async () => {
    const root = temporaryFolder()
    expect(await inlineDisk(failing(nodeFileSystem(root), 'lstat', 'EIO')).root()).toMatchObject({
      tag: 'missing',
      reason: containing('EIO'),
    })
    await inlineDisk(nodeFileSystem(root)).mark('m')
    expect(await inlineDisk(failing(nodeFileSystem(root), 'open', 'EACCES')).root()).toMatchObject({ tag: 'missing' })
  })

  test('tells whether names are folded, before and after the marking; where it cannot be tried, it takes the careful way', async () => {
    const root = temporaryFolder()
    const fs = folding(nodeFileSystem(root))
    expect(await inlineDisk(fs).root()).toEqual({ tag: 'unmarked', empty: true, exactNames: false })
    expect(await inlineDisk(failing(nodeFileSystem(root), 'mkdir', 'EROFS')).root()).toMatchObject({ exactNames: false })
    expect(await inlineDisk(failing(fs, 'lstat', 'EIO', (path) => /probe/iu.test(path))).root()).toMatchObject({ exactNames: false })
    await inlineDisk(fs).mark('m')
    expect(await inlineDisk(fs).root()).toEqual({ tag: 'ok', marker: 'm', exactNames: false })
  })

  test('a .eventsync that is a symlink or a file is never written into (I11)', async () => {
    const root = temporaryFolder()
    const outside = temporaryFolder()
    nodeFs.symlinkSync(outside, join(root, '.eventsync'))
    const disk = inlineDisk(nodeFileSystem(root))
    expect(await disk.root()).toMatchObject({ tag: 'unmarked' })
    expect(await disk.mark('m')).toMatchObject({ tag: 'BadParent' })
    expect(nodeFs.readdirSync(outside)).toEqual([])
    nodeFs.unlinkSync(join(root, '.eventsync'))
    nodeFs.writeFileSync(join(root, '.eventsync'), '')
    expect(await disk.mark('m')).toMatchObject({ tag: 'BadParent' })
  })

  test('marking where nothing may be written fails', async () => {
    expect(await inlineDisk(failing(nodeFileSystem(temporaryFolder()), 'mkdir', 'EROFS')).mark('m')).toMatchObject({ tag: 'NoPermission' })
  })
})
