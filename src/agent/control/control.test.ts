import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FolderStatus } from '../engine/folder-sync.types.ts'
import { controlAddress } from './address.ts'
import { askAgent } from './client.ts'
import { serveControl } from './server.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'eventsync-control-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const STATUS: FolderStatus = {
  folder: '/f',
  inSync: true,
  connected: true,
  position: 1,
  head: 1,
  pending: 0,
  incoming: 0,
  conflicts: [],
  held: ['a\nb'],
  problems: [],
  lastError: null,
}

const agent = {
  status: () => STATUS,
  settle: async () => STATUS,
  approveDeletions: (paths?: readonly string[]) => paths?.length ?? 99,
}

test('asks a running agent', async () => {
  const address = controlAddress(root)
  await using _ = await serveControl(address, agent)
  expect(statSync(address).mode & 0o777).toBe(0o600)
  expect(await askAgent(address, { ask: 'status' })()).toEqual(E.right({ tag: 'status', status: STATUS }))
  expect(await askAgent(address, { ask: 'settle' })()).toEqual(E.right({ tag: 'status', status: STATUS }))
  expect(await askAgent(address, { ask: 'approve', paths: [] })()).toEqual(E.right({ tag: 'approved', count: 99 }))
  expect(await askAgent(address, { ask: 'approve', paths: ['a', 'b'] })()).toEqual(E.right({ tag: 'approved', count: 2 }))
})

test('tells when no agent runs, also where one was killed', async () => {
  const address = controlAddress(root)
  expect(await askAgent(address, { ask: 'status' })()).toEqual(E.left({ tag: 'NoAgent' }))
  writeFileSync(address, '')
  expect(await askAgent(address, { ask: 'status' })()).toEqual(E.left({ tag: 'NoAgent' }))
  await using _ = await serveControl(address, agent)
  expect(await askAgent(address, { ask: 'status' })()).toMatchObject({ _tag: 'Right' })
})

test('a request that is given up stops the wait at the agent', async () => {
  const address = controlAddress(root)
  const stopped = Promise.withResolvers<void>()
  const patient = {
    ...agent,
    settle: (signal?: AbortSignal) => new Promise<FolderStatus>(() => signal?.addEventListener('abort', () => stopped.resolve())),
  }
  await using _ = await serveControl(address, patient)
  const patience = new AbortController()
  const asked = askAgent(address, { ask: 'settle' }, patience.signal)()
  patience.abort()
  expect(await asked).toEqual(E.left({ tag: 'TimedOut' }))
  // The abort may come before the request was read: then ask again, and go away without a word.
  connect(address).end('{"ask":"settle"}\n').resume()
  await stopped.promise
})

test('what is not a request is answered so', async () => {
  const address = controlAddress(root)
  await using _ = await serveControl(address, agent)
  const socket = connect(address)
  const answered = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
  socket.write('broken\n')
  expect(JSON.parse(await answered)).toMatchObject({ tag: 'error' })
  socket.destroy()
})

test('the socket of a long path has a short address of its own', () => {
  const long = controlAddress(join(root, 'x'.repeat(120)))
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(100)
  expect(long).not.toBe(controlAddress(join(root, 'y'.repeat(120))))
})
