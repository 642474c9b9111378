import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, expect, test } from 'vitest'
import { lockFile } from './file-lock.ts'

const root = mkdtempSync(join(tmpdir(), 'eventsync-lock-'))
afterAll(() => rmSync(root, { recursive: true }))

test('is held by one at a time', () => {
  const file = join(root, 'lock')
  const first = lockFile(file)
  expect(lockFile(file)).toEqual(E.left({ tag: 'Held' }))
  if (E.isRight(first)) first.right[Symbol.dispose]()
  expect(E.isRight(lockFile(file))).toBe(true)
})

test('says why where it cannot be', () => {
  expect(lockFile(join(root, 'no', 'lock'))).toMatchObject({ left: { tag: 'Unusable' } })
})
