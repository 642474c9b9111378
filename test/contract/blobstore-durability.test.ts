import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBlobStore } from '../../src/blobstore/chunk-store.ts'
import { openFilesystemStore } from '../../src/blobstore/object-store/filesystem.ts'
import { isHash } from '../../src/domain/content.ts'
import { all } from './blobstore.support.ts'
import { canMount, runOnSmallDisk, runWithFileLimit, start } from './children/spawn.ts'
import { right } from './support.ts'

let directory: string
let root: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'durability-'))
  root = join(directory, 'store')
})
afterEach(() => rm(directory, { recursive: true }))

/** Puts until it is killed, after so many reports; what it reported. */
const putAndKill = async (reports: number): Promise<readonly string[]> => {
  const child = start('put', [root])
  const reported: string[] = []
  for await (const line of child.lines) if (reported.push(line) === reports) await child.kill()
  return reported
}

describe('chunks in files', () => {
  it('keeps every chunk that was answered, and none in part, when it is killed again and again (I1)', async () => {
    const reported: string[] = []
    for (const count of [1, 30, 150, 77]) reported.push(...(await putAndKill(count)))
    const blobs = createBlobStore(right(await openFilesystemStore(root)()), {
      find: () => undefined,
      isGone: () => false,
      isRetired: () => false,
      together: (ask) => ask(),
    })
    expect(reported.length).toBeGreaterThan(250)
    expect(right(await blobs.missing(reported.filter(isHash))())).toEqual([])
    expect(await all(blobs.verify())).toEqual([])
  })

  it('removes at its opening what a killed process left, and nothing that may still be written', async () => {
    right(await openFilesystemStore(root)())
    const temporary = join(root, '.tmp')
    await writeFile(join(temporary, 'young'), 'x')
    await writeFile(join(temporary, 'old'), 'x')
    const longAgo = new Date(Date.now() - 20 * 60_000)
    await utimes(join(temporary, 'old'), longAgo, longAgo)
    right(await openFilesystemStore(root)())
    expect(await readdir(temporary)).toEqual(['young'])
  })

  it('answers Full where a file may not grow so far, and leaves nothing behind', async () => {
    const lines = runWithFileLimit(20, 'put', [root])
    expect(lines.slice(-2)).toEqual(['left Full', 'shown 0'])
    expect(await readdir(join(root, '.tmp'))).toEqual([])
  })

  it.runIf(canMount)('answers Full on a full disk, shows nothing in part, and goes on when there is space again', () => {
    const lines = runOnSmallDisk(4 * 2 ** 20, directory, 'put', [root, join(directory, 'filler')])
    const stored = lines.filter(isHash).length
    expect(stored).toBeGreaterThan(20)
    expect(lines.slice(-3)).toEqual(['left Full', `shown ${stored}`, 'again right'])
  })
})
