import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { Json, JsonObject } from './json.ts'
import { decodeRequest } from './request.ts'

// The messages of PySync's own documents, as they stand there.
const AGENT = {
  Key: '6C19A781148814833ED25840B7A07BA7',
  User: { Email: 'usuario01@pysync.com', Password: 'D1A5FF8DBEEDAA3406368724EBBD3CB0' },
}
const message = (action: string, more: JsonObject = {}): JsonObject => ({
  Action: action,
  Timestamp: 1604061231.0383,
  Agent: AGENT,
  ...more,
})
const plain = (action: Json) => ({ tag: 'Plain', key: AGENT.Key, email: AGENT.User.Email, password: AGENT.User.Password, action })
const ID = 'BBE02F946D5455D74616FC9777557C22'

describe("PySync's messages", () => {
  test.each<[string, JsonObject, unknown]>([
    ['RegisterUser', message('RegisterUser'), { tag: 'RegisterUser', email: AGENT.User.Email, password: AGENT.User.Password }],
    [
      'RegisterAgent',
      message('RegisterAgent'),
      { tag: 'RegisterAgent', key: AGENT.Key, email: AGENT.User.Email, password: AGENT.User.Password, name: AGENT.Key },
    ],
    [
      'Create',
      message('Create', { File: { OriginalName: 'Arquivo01.txt', Size: '32253' } }),
      plain({ tag: 'Create', path: 'Arquivo01.txt', size: 32253 }),
    ],
    [
      'Create, its size a number',
      message('Create', { File: { OriginalName: 'a', Size: 3 } }),
      plain({ tag: 'Create', path: 'a', size: 3 }),
    ],
    ['Open', message('Open', { File: { Name: 'Arquivo01.txt' } }), plain({ tag: 'Open', name: 'Arquivo01.txt' })],
    ['Update', message('Update', { File: { Name: ID, Size: '32253' } }), plain({ tag: 'Update', name: ID, size: 32253 })],
    ['Delete', message('Delete', { File: ID }), plain({ tag: 'Delete', name: ID })],
    ['Delete by a file object', message('Delete', { File: { Name: ID } }), plain({ tag: 'Delete', name: ID })],
    ['Sync', message('Sync'), plain({ tag: 'Sync', position: -1 })],
    ['Sync from a position', message('Sync', { Position: 7 }), plain({ tag: 'Sync', position: 7 })],
  ])('%s', (_, json, request) => {
    for (const connection of [true, false]) expect(decodeRequest(json, connection)).toMatchObject({ right: request })
  })

  test('bytes, on a plain connection', () => {
    expect(decodeRequest({ Action: 'Bytes' }, true)).toEqual(E.right({ tag: 'Bytes' }))
  })

  test.each<[string, JsonObject, string]>([
    ['no user', { ...message('Create', { File: { OriginalName: 'a', Size: 3 } }), Agent: { Key: AGENT.Key } }, 'Agent.User'],
    ['no file', message('Create'), 'File'],
    ['a path that leaves the folder', message('Create', { File: { OriginalName: '../a', Size: 3 } }), 'File.OriginalName'],
    ['a size that is no number', message('Create', { File: { OriginalName: 'a', Size: 'big' } }), 'File.Size'],
    ['no name', message('Open', { File: {} }), 'File.Name'],
    ['a deletion of a path outside', message('Delete', { File: '/etc/passwd' }), 'File'],
    ['another action', message('Agents'), 'Action'],
  ])('refuses %s', (_, json, field) => {
    expect(decodeRequest(json, true)).toMatchObject({ left: { tag: 'BadMessage', field } })
  })
})
