import type * as FileSystem from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ObjectStore } from '../port.ts'

/** What was made durable or named, in order: what a power cut would leave is not to be seen in any other way. */
const steps = vi.hoisted((): string[] => [])

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof FileSystem>()
  const pathOf = (fd: number): string => fs.readlinkSync(`/proc/self/fd/${fd}`)
  const fdatasync = (fd: number, done: (error: Error | null) => void): void => {
    steps.push(`fdatasync ${pathOf(fd)}`)
    fs.fdatasync(fd, done)
  }
  const fsync = (fd: number, done: (error: Error | null) => void): void => {
    steps.push(`fsync ${pathOf(fd)}`)
    fs.fsync(fd, done)
  }
  const rename = (from: string, to: string, done: (error: Error | null) => void): void => {
    steps.push(`rename ${to}`)
    fs.rename(from, to, done)
  }
  const renameSync = (from: string, to: string): void => {
    steps.push(`rename ${to}`)
    fs.renameSync(from, to)
  }
  return { ...fs, fdatasync, fsync, rename, renameSync }
})

let root: string
let store: ObjectStore
/** Since the last call, with the root and the temporary file's random name left out. */
const taken = (): readonly string[] => steps.splice(0).map((step) => step.replace(root, '').replace(/\.tmp\/\w+$/, '.tmp/T'))

const put = async (name: string): Promise<void> => {
  expect(await store.put(name, [Buffer.from(name)])()).toEqual(E.right(undefined))
}

const openAgain = async (): Promise<void> => {
  const { openFilesystemStore } = await import('./filesystem.ts')
  const opened = await openFilesystemStore(root)()
  if (E.isLeft(opened)) throw new Error(JSON.stringify(opened.left))
  store = opened.right
}

beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'filesystem-')), 'store')
  await openAgain()
})
afterEach(() => rm(join(root, '..'), { recursive: true }))

describe('the file-system store', () => {
  it('makes the content durable before its name, then the name, and meanwhile the directories above it', async () => {
    taken()
    await put('chunks/ab/x')
    const steps = taken()
    const above = ['fsync ', 'fsync /chunks']
    expect(steps.filter((step) => !above.includes(step))).toEqual(['fdatasync /.tmp/T', 'rename /chunks/ab/x', 'fsync /chunks/ab'])
    expect(steps.filter((step) => above.includes(step))).toEqual(above)
    await put('chunks/ab/y')
    expect(taken()).toEqual(['fdatasync /.tmp/T', 'rename /chunks/ab/y', 'fsync /chunks/ab'])
    await store.remove('chunks/ab/y')()
    expect(taken()).toEqual(['fsync /chunks/ab'])
  })

  it('shares the directory between puts at once, and still syncs it after the last of their renames', async () => {
    await put('chunks/ab/x')
    taken()
    await Promise.all(Array.from({ length: 40 }, (_, at) => put(`chunks/ab/${at}`)))
    const seen = taken()
    const syncs = seen.filter((step) => step === 'fsync /chunks/ab')
    expect(syncs.length).toBeLessThan(40)
    expect(seen.filter((step) => step.startsWith('rename'))).toHaveLength(40)
    expect(seen.at(-1)).toBe('fsync /chunks/ab')
  })

  it('makes durable at its opening what a killed process had named only', async () => {
    await put('chunks/ab/x')
    await put('packs/cd/y')
    taken()
    await openAgain()
    expect(taken().toSorted()).toEqual(['fsync ', 'fsync /chunks', 'fsync /chunks/ab', 'fsync /packs', 'fsync /packs/cd'])
  })
})
