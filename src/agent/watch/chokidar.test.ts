import * as fs from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { FSWatcher } from 'chokidar'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { path, temporaryFolder } from '../../../test/support/disk.ts'
import type { SyncPath } from '../../domain/path.ts'
import { chokidarWatch, listen } from './chokidar.ts'
import type { Hint } from './port.ts'

interface Watched {
  readonly at: (name: string) => string
  readonly hints: Hint[]
  /** Waits until all these paths have been hinted at. */
  readonly hinted: (...names: string[]) => Promise<void>
  readonly close: () => Promise<void>
}

const watched = async (
  prepare: (at: (name: string) => string) => void = () => undefined,
  skip: (path: SyncPath) => boolean = () => false,
): Promise<Watched> => {
  const root = temporaryFolder()
  const at = (name: string): string => join(root, name)
  fs.mkdirSync(at('.eventsync'))
  prepare(at)
  const hints: Hint[] = []
  const watching = await chokidarWatch(root).start((hint) => hints.push(hint), skip)
  onTestFinished(() => watching[Symbol.asyncDispose]())
  const hinted = async (...names: string[]): Promise<void> => {
    const expected = names.map((name) => ({ tag: 'path', path: path(name) }))
    await vi.waitFor(() => expect(hints).toEqual(expect.arrayContaining(expected)), { timeout: 5000, interval: 2 })
  }
  return { at, hints, hinted, close: async () => watching[Symbol.asyncDispose]() }
}

const paths = (hints: readonly Hint[]): string[] => hints.map((hint) => (hint.tag === 'path' ? hint.path : hint.tag))

describe('chokidarWatch', () => {
  test('hints at what is made, written, renamed and removed', async () => {
    const { at, hints, hinted } = await watched((at) => {
      fs.mkdirSync(at('d'))
      fs.writeFileSync(at('d/old'), '')
    })
    fs.writeFileSync(at('a'), 'x')
    await hinted('a')
    hints.length = 0
    fs.appendFileSync(at('a'), 'y')
    fs.chmodSync(at('d/old'), 0o755)
    await hinted('a', 'd/old')
    hints.length = 0
    fs.renameSync(at('a'), at('d/b'))
    fs.symlinkSync('nowhere', at('l'))
    await hinted('a', 'd/b', 'l')
    hints.length = 0
    fs.rmSync(at('d'), { recursive: true })
    await hinted('d', 'd/b', 'd/old')
  })

  test('hints at all that a new directory holds, however deep, and goes on watching there', async () => {
    const { at, hints, hinted } = await watched()
    for (let i = 0; i < 20; i++) {
      fs.mkdirSync(at(`d${i}/e/f`), { recursive: true })
      fs.writeFileSync(at(`d${i}/e/f/g`), '')
    }
    await hinted(...Array.from({ length: 20 }, (_, i) => [`d${i}`, `d${i}/e`, `d${i}/e/f`, `d${i}/e/f/g`]).flat())
    hints.length = 0
    fs.writeFileSync(at('d7/e/f/late'), '')
    await hinted('d7/e/f/late')
  })

  test('directories that come while the watch begins are watched, too', async () => {
    const root = temporaryFolder()
    for (let i = 0; i < 100; i++) fs.mkdirSync(join(root, `d${i}`))
    const hints: Hint[] = []
    const starting = chokidarWatch(root).start(
      (hint) => hints.push(hint),
      () => false,
    )
    const come = Array.from({ length: 60 }, (_, i) => `d${i}/new/in`)
    for (const name of come) {
      fs.mkdirSync(join(root, name), { recursive: true })
      await setImmediate()
    }
    const watching = await starting
    onTestFinished(() => watching[Symbol.asyncDispose]())
    for (const name of come) fs.writeFileSync(join(root, name, 'late'), '')
    await vi.waitFor(() => expect(paths(hints)).toEqual(expect.arrayContaining(come.map((name) => `${name}/late`))), { timeout: 5000 })
  })

  test('a directory that was moved in is watched, too', async () => {
    const elsewhere = temporaryFolder()
    fs.mkdirSync(join(elsewhere, 'd'))
    fs.writeFileSync(join(elsewhere, 'd/in'), '')
    const { at, hints, hinted } = await watched()
    fs.renameSync(join(elsewhere, 'd'), at('d'))
    await hinted('d', 'd/in')
    hints.length = 0
    fs.writeFileSync(at('d/new'), '')
    await hinted('d/new')
  })

  test('names of editors, hidden names and unusual ones are hinted at like others', async () => {
    const { at, hinted } = await watched((at) => fs.mkdirSync(at('back\\slash')))
    const names = ['.a.swp', 'b~', '.subl1.tmp', '4913', '.hidden', 'line\nbreak', ' lead', 'caf\u00e9', 'cafe\u0301', 'back\\slash/x']
    for (const name of names) fs.writeFileSync(at(name), 'x')
    await hinted(...names)
  })

  test('never at its own directory, and not into skipped ones', async () => {
    const { at, hints, hinted } = await watched(
      (at) => {
        fs.mkdirSync(at('.eventsync/stage'))
        fs.mkdirSync(at('node_modules/x'), { recursive: true })
      },
      (directory) => directory === 'node_modules' || directory === 'made/node_modules',
    )
    fs.writeFileSync(at('.eventsync/stage/s1'), 'x')
    fs.writeFileSync(at('node_modules/x/y'), 'x')
    fs.mkdirSync(at('made/node_modules/x'), { recursive: true })
    fs.writeFileSync(at('made/node_modules/x/y'), 'x')
    fs.writeFileSync(at('made/seen'), 'x')
    fs.writeFileSync(at('last'), 'x')
    await hinted('made/seen', 'last')
    expect(paths(hints).filter((name) => name.includes('.eventsync') || name.includes('node_modules/'))).toEqual([])
  })

  test('never follows a symlink', async () => {
    const outside = temporaryFolder()
    const { at, hints, hinted } = await watched((at) => fs.symlinkSync(outside, at('link')))
    fs.writeFileSync(join(outside, 'x'), '')
    fs.writeFileSync(at('last'), '')
    await hinted('last')
    expect(paths(hints)).not.toContain('link/x')
  })

  test('when the folder itself goes, and when it is back, everything is to be looked at', async () => {
    const { at, hints, hinted } = await watched()
    const everything = async (reason: string): Promise<void> =>
      vi.waitFor(() => expect(hints).toContainEqual({ tag: 'everything', reason }), { timeout: 5000 })
    fs.rmSync(at(''), { recursive: true })
    await everything('the folder itself is gone')
    fs.mkdirSync(at(''))
    await everything('the folder is back')
    fs.writeFileSync(at('new'), '')
    await hinted('new')
  })

  test('after disposing there are no hints', async () => {
    const { at, hints, close } = await watched()
    await close()
    fs.writeFileSync(at('a'), 'x')
    await close()
    const other = await watched((at) => fs.mkdirSync(at('x')))
    fs.writeFileSync(other.at('b'), 'x')
    await other.hinted('b')
    expect(hints).toEqual([])
  })

  test.each([
    ['ENOSPC', 'fs.inotify.max_user_watches'],
    ['EMFILE', 'fs.inotify.max_user_instances'],
  ])('at the limit (%s) it says once how to raise it', (code, setting) => {
    const watcher = new FSWatcher()
    const hints: Hint[] = []
    listen(watcher, '/folder', new Set(), (hint) => hints.push(hint))
    for (let i = 0; i < 3; i++) watcher.emit('error', Object.assign(new Error(code), { code }))
    expect(hints).toHaveLength(1)
    expect(hints[0]).toMatchObject({ tag: 'limited' })
    expect(JSON.stringify(hints)).toMatch(new RegExp(`sudo sysctl ${setting}=\\d+`))
    watcher.emit('error', new Error('another'))
    expect(paths(hints)).toEqual(['limited', 'everything'])
  })

  test('when so many events come at once that the system has lost some, everything is to be looked at', () => {
    const watcher = new FSWatcher()
    const hints: Hint[] = []
    listen(watcher, '/folder', new Set(), (hint) => hints.push(hint))
    const limit = Number(fs.readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))
    for (let i = 0; i < limit; i++) watcher.emit('raw', 'change', 'a', { watchedPath: '/folder' })
    expect(paths(hints).filter((name) => name === 'everything')).toHaveLength(1)
  })
})
