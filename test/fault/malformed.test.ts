import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SyncPath } from '../../src/domain/path.ts'
import type { Change } from '../../src/domain/change.ts'
import { encodeRequest } from '../../src/protocol/request.ts'
import { bytesOf, creating, textFile } from '../support/gateway.ts'
import { OPCODES, RawPeer } from '../support/raw-websocket.ts'
import { until } from '../support/wait.ts'
import { World } from '../support/world.ts'
import { Client } from './support/client.ts'
import { exchange, frameOf, rawClient, signedRawClient } from './support/raw-client.ts'

const GIB = 1024 ** 3
const SECRET = 'hunter2-that-nobody-may-see'

let world: World
let eve: Client
beforeAll(async () => {
  world = await World.create()
  eve = await Client.enrol(world.url, 'eve@example.org', SECRET)
  await eve.change([creating('there', 'x')], [bytesOf('x')])
})
afterAll(async () => {
  await eve[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const head = async (): Promise<number> => {
  const answer = await eve.sync()
  return answer.tag === 'Synced' ? answer.head : NaN
}

/** A path as it comes, past the type that only validated ones have. */
const unchecked = (text: string): SyncPath => text as SyncPath

const BAD_PATHS: readonly string[] = [
  '../x',
  '/etc/x',
  'a/../../x',
  '..',
  '.',
  './x',
  'a//b',
  'a/',
  '/',
  '',
  'nul\0',
  'a/\0/b',
  '.eventsync/x',
  '.eventsync',
  '.eventsync/stages/x',
  'a/./b',
  'a/..',
  'n'.repeat(256),
  `${'d/'.repeat(2048)}x`,
  '\ud800',
  'é'.repeat(128),
]

test('I11: a path that is none is refused in every place of a change, by a reason that names the field', async () => {
  const before = await head()
  for (const bad of BAD_PATHS) {
    const at = unchecked(bad)
    const content = textFile('x')
    const changes: readonly [Change, string][] = [
      [{ tag: 'create', path: at, content, base: 'none' }, 'OriginalName'],
      [{ tag: 'update', path: at, content, base: 'any' }, 'OriginalName'],
      [{ tag: 'delete', path: at, base: 1 }, 'OriginalName'],
      [{ tag: 'move', from: unchecked('there'), path: at, content, base: 1 }, 'OriginalName'],
      [{ tag: 'move', from: at, path: unchecked('ok'), content, base: 1 }, 'MovedFrom'],
    ]
    for (const [change, field] of changes) {
      const { batch } = eve.sign([change], [])
      const { message } = await eve.line.say(encodeRequest({ tag: 'Changes', key: eve.signer.key, batch }, 1))
      expect(message, JSON.stringify(bad)).toMatchObject({ Status: 400, Code: 'format' })
      expect(message['Reason'], JSON.stringify(bad)).toMatch(new RegExp(`^Changes\\[0\\]\\.File\\.${field} `))
    }
  }
  expect(await head()).toBe(before)
  for (const outside of ['/etc/x', join(world.root, 'x'), join(world.data, '..', 'x')]) expect(existsSync(outside)).toBe(false)
  expect(readdirSync(world.root)).toEqual(['data'])
})

test('messages of two gibibytes are refused before they are held', async () => {
  const { peer } = await rawClient(world.port)
  expect(await exchange(peer, frameOf('{}', { claim: 2 * GIB }))).toMatchObject({ Status: 413, Code: 'tooLarge' })
  const framed = await rawClient(world.port)
  framed.peer.send(OPCODES.binary, Buffer.alloc(100), { claim: 2 * GIB })
  expect((await framed.peer.end()).code).toBe(1009)
  const plain = new RawPeer(world.port)
  plain.send(OPCODES.text, Buffer.alloc(100, 0x20), { claim: 2 * GIB })
  expect((await plain.end()).code).toBe(1009)
  const http = await fetch(`http://127.0.0.1:${world.port}/readyz`, { method: 'POST', body: Buffer.alloc(1024) }).catch(() => undefined)
  expect(http?.status).not.toBe(500)
  expect(await head()).toBe(1)
})

test('broken JSON: a clear reason, without a word of it', async () => {
  const { peer } = await rawClient(world.port)
  const texts = [
    `{"Password":"${SECRET}`,
    `{"Password":"${SECRET}"} x`,
    SECRET,
    '',
    '{',
    '"text"',
    '[]',
    'null',
    '17',
    '{"a":1,}',
    Buffer.from([0x7b, 0xff, 0x7d]),
    '\ufeff{}',
  ]
  for (const text of texts) {
    const answer = await exchange(peer, frameOf(text))
    expect(answer, String(text)).toMatchObject({ Status: 400, Code: 'format' })
    expect(JSON.stringify(answer)).not.toContain('hunter')
  }
  const plain = new RawPeer(world.port)
  await until('the handshake', () => plain.response !== '')
  for (const text of texts.slice(0, 3)) {
    plain.send(OPCODES.text, text)
    const answer = (await plain.next()).data.toString()
    expect(answer).toContain('"Status":400')
    expect(answer).not.toContain('hunter')
  }
  expect(world.gateway.lines.join('\n')).not.toContain('hunter')
})

const DEEP = 100_000

test('nesting without an end, in any place', async () => {
  const peer = await signedRawClient(world.port, eve.signer)
  const nested = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`
  const objects = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`
  const key = `"Agent":{"Key":"${eve.signer.key}"},"Timestamp":1`
  const { batch } = eve.sign([creating('deep', 'x')], [])
  const honest = JSON.stringify(encodeRequest({ tag: 'Changes', key: eve.signer.key, batch }, 1))
  for (const deep of [nested, objects]) {
    const heads = [
      `{"Action":${deep}}`,
      `{"Action":"Changes",${key},"Changes":${deep}}`,
      `{"Action":"Missing",${key},"Folder":"${eve.folder}","Chunks":${deep}}`,
      honest.replace('"OriginalName":"deep"', `"OriginalName":"deep","More":${deep}`),
      honest.replace('"Size":"1"', `"Size":${deep}`),
      honest.replace('"Base":"none"', `"Base":${deep}`),
    ]
    for (const text of heads)
      expect(await exchange(peer, frameOf(text)), text.slice(0, 60)).toMatchObject({ Status: text.length > 1024 ** 2 ? 413 : 400 })
  }
  expect(await head()).toBe(1)
})

test('numbers out of all bounds', async () => {
  const peer = await signedRawClient(world.port, eve.signer)
  const { batch, payload } = eve.sign([creating('number', 'y')], [bytesOf('y')])
  const honest = JSON.stringify(encodeRequest({ tag: 'Changes', key: eve.signer.key, batch }, 1))
  const fields = [
    '"Timestamp":1700000000',
    `"Number":${batch.head.number}`,
    '"Position":-1',
    '"Count":1',
    '"Size":"1"',
    '"Base":"none"',
    ',1]',
  ]
  for (const field of fields) {
    for (const number of ['1e999', '-1e999', '1e308', '9007199254740993', '-2', '0.5', '1e-7', '99999999999999999999999']) {
      const name = field.replace(/[^:]*$/, '')
      const lie = field === ',1]' ? `,${number}]` : `${name}${number}`
      expect(honest).toContain(field)
      const answer = await exchange(peer, frameOf(honest.replace(field, lie), { payload: Buffer.from(payload) }))
      // A clock may say what it wants, as long as it is a number; all else is refused, or signed otherwise.
      const right = field.startsWith('"Timestamp"') && !number.endsWith('e999') ? [200] : [400, 403]
      expect(right, `${lie}: ${JSON.stringify(answer)}`).toContain(answer['Status'])
    }
  }
  // It must be able to read its own log again.
  await world.gateway.kill()
  await world.startGateway()
  await eve.line.connected()
  expect(await eve.change([creating('after', 'x')])).toMatchObject({ tag: 'Changed', outcomes: [{ status: 200 }] })
})

test('fields of other kinds, and names that objects inherit', async () => {
  const before = await head()
  const peer = await signedRawClient(world.port, eve.signer)
  const odd = ['null', '[]', '{}', 'true', '"x"', '{"toString":1}', '{"__proto__":{"Key":1}}', '[[[]]]']
  for (const action of [
    'Changes',
    'Missing',
    'Chunks',
    'Sync',
    'Open',
    'Synced',
    'RenameAgent',
    'RevokeAgent',
    'SignIn',
    'RegisterUser',
    'RegisterAgent',
    'constructor',
    '__proto__',
  ]) {
    for (const value of odd) {
      const fields = ['Folder', 'Changes', 'Chunks', 'Contents', 'Files', 'Target', 'Position', 'Signature', 'constructor', '__proto__']
      const text = `{"Action":"${action}","Timestamp":1,"Agent":{"Key":"${eve.signer.key}","User":${value}},${fields.map((field) => `"${field}":${value}`).join(',')}}`
      const { Status: status } = await exchange(peer, frameOf(text))
      expect([400, 403], text).toContain(status)
    }
  }
  expect(await head()).toBe(before)
})
