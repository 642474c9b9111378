import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import { deviceKey, openStateDirectory, readEnrolment, saveEnrolment, type Enrolment } from './identity.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'eventsync-identity-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const mode = (path: string): number => statSync(path).mode & 0o777

test('the state directory and the key are for their owner alone', () => {
  const state = join(root, 'a', 'state')
  expect(openStateDirectory(state)).toEqual(E.right(state))
  expect(mode(state)).toBe(0o700)
  const first = deviceKey(state)
  expect(mode(join(state, 'key.pem'))).toBe(0o600)
  const again = deviceKey(state)
  expect(E.isRight(first) && E.isRight(again) && first.right.publicKey === again.right.publicKey).toBe(true)
})

test('a state directory in a synced folder is refused by real path, and not made', () => {
  mkdirSync(join(root, 'synced', '.eventsync'), { recursive: true })
  symlinkSync(join(root, 'synced'), join(root, 'link'))
  for (const state of ['synced', 'synced/a/state', 'link/a/state'])
    expect(openStateDirectory(join(root, state))).toMatchObject({ left: { tag: 'BadFolder' } })
  expect(existsSync(join(root, 'synced', 'a'))).toBe(false)
})

test('a key that others can read, or that is damaged, is refused', () => {
  deviceKey(root)
  chmodSync(join(root, 'key.pem'), 0o644)
  const open = deviceKey(root)
  expect(E.isLeft(open) ? open.left.reason : '').toContain('can be read by others')
  chmodSync(join(root, 'key.pem'), 0o600)
  writeFileSync(join(root, 'key.pem'), 'no key')
  expect(deviceKey(root)).toMatchObject({ left: { tag: 'Unusable' } })
})

// Names of the right forms.
const ENROLMENT: Enrolment = {
  server: 'ws://127.0.0.1:4750',
  insecure: false,
  email: 'a@example.org',
  name: 'laptop',
  account: 'a'.repeat(32) as AccountId,
  key: 'A'.repeat(32) as AgentKey,
  folder: 'b'.repeat(32) as FolderId,
  gatewayKey: 'x',
}

test('what was enrolled is read again', () => {
  expect(readEnrolment(root)).toMatchObject({ left: { tag: 'NotRegistered' } })
  saveEnrolment(root, ENROLMENT)
  expect(readEnrolment(root)).toEqual(E.right(ENROLMENT))
  expect(mode(join(root, 'device.json'))).toBe(0o600)
})

test.each(['', '{', '[]', 'null', '{"format":2}', '{"format":1}'])('a damaged enrolment is refused: %j', (text) => {
  writeFileSync(join(root, 'device.json'), text)
  expect(readEnrolment(root)).toMatchObject({ left: { tag: 'Unusable' } })
})
