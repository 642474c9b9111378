import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, afterEach, expect, test } from 'vitest'
import { claimFolder, folderHolding, knownFolders } from './folders.ts'

let root = ''
const at = (...names: string[]): string => join(root, ...names)

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'eventsync-folders-')))
  for (const state of ['state', 'other-state']) mkdirSync(at(state))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Claims and, where that works, lets go again; as a synced folder would, it leaves an index. */
const sync = (folder: string, state = 'state'): string => {
  const claimed = claimFolder(at(state), folder)
  if (E.isLeft(claimed)) return `${claimed.left.tag}: ${claimed.left.reason}`
  writeFileSync(claimed.right.index, '')
  claimed.right[Symbol.dispose]()
  return claimed.right.fresh ? 'fresh' : 'known'
}

test('a folder is made where it is missing, and known from then on', () => {
  expect(sync(at('a', 'b'))).toBe('fresh')
  expect(existsSync(at('a', 'b'))).toBe(true)
  expect(sync(at('a', 'b'))).toBe('known')
  expect(knownFolders(at('state')).map(({ path }) => path)).toEqual([at('a', 'b')])
  expect(folderHolding(at('state'), at('a', 'b', 'c'))?.path).toBe(at('a', 'b'))
  expect(folderHolding(at('state'), at('a', 'bc'))).toBeUndefined()
})

test('I15: a folder that was synced and is gone stays gone', () => {
  sync(at('a'))
  rmSync(at('a'), { recursive: true })
  expect(sync(at('a'))).toBe('known')
  expect(existsSync(at('a'))).toBe(false)
})

test('I15: nothing is written into a root that was replaced', () => {
  sync(at('a'))
  rmSync(at('a', '.eventsync'), { recursive: true })
  expect(sync(at('a'))).toBe('known')
  expect(existsSync(at('a', '.eventsync'))).toBe(false)
})

test('two agents on one folder are refused, from one state directory or from two', () => {
  const first = claimFolder(at('state'), at('a'))
  expect(sync(at('a'))).toMatch(/^Busy: another agent keeps .* in sync already/)
  expect(sync(at('a'), 'other-state')).toMatch(/^Busy: /)
  if (E.isRight(first)) first.right[Symbol.dispose]()
  expect(sync(at('a'), 'other-state')).toBe('fresh')
})

test('I15: nested folders are refused, by real path', () => {
  sync(at('a', 'b'))
  expect(sync(at('a', 'b', 'c'))).toMatch(/^BadFolder: .* overlaps with/)
  expect(sync(at('a'))).toMatch(/^BadFolder: .* overlaps with/)
  expect(sync(at('a'), 'other-state')).toMatch(/^BadFolder: .* holds .*, a synced folder/)
  symlinkSync(at('a', 'b'), at('link'))
  expect(sync(at('link', 'c'), 'other-state')).toMatch(/^BadFolder: .* lies inside .*, a synced folder/)
  expect(sync(at('link'))).toBe('known')
})

test('I15: a state or data directory inside a synced folder is refused, and the other way round', () => {
  expect(sync(root)).toMatch(/^BadFolder: .*state directory .* overlap/)
  expect(sync(at('state', 'x'))).toMatch(/^BadFolder: .*state directory .* overlap/)
  mkdirSync(at('a', 'gateway'), { recursive: true })
  writeFileSync(at('a', 'gateway', 'eventsync-data.json'), '')
  expect(sync(at('a'))).toMatch(/^BadFolder: .* holds .*, a gateway's data directory/)
  expect(sync(at('a', 'gateway'))).toMatch(/^BadFolder: .* is a gateway's data directory/)
  expect(sync(at('a', 'gateway', 'objects'))).toMatch(/^BadFolder: .* lies inside .*, a gateway's data directory/)
})

test("another device's state directory is no place for a synced folder, nor is one for it", () => {
  mkdirSync(at('a', 'st'), { recursive: true })
  writeFileSync(at('a', 'st', 'eventsync-state.json'), '')
  expect(sync(at('a'))).toMatch(/^BadFolder: .* holds .*, a device's state directory/)
  expect(sync(at('a', 'st'))).toMatch(/^BadFolder: .* is a device's state directory/)
  expect(sync(at('a', 'st', 'x'))).toMatch(/^BadFolder: .* lies inside .*, a device's state directory/)
})

test('a file is no folder', () => {
  writeFileSync(at('file'), '')
  expect(sync(at('file'))).toMatch(/^BadFolder: .* is not a folder/)
})
