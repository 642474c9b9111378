import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { serverUrl } from './server-url.ts'

test.each([
  ['ws://127.0.0.1:4750', 'ws://127.0.0.1:4750'],
  ['ws://localhost:4750/', 'ws://localhost:4750'],
  ['ws://[::1]:4750', 'ws://[::1]:4750'],
  ['wss://sync.example.org', 'wss://sync.example.org'],
  ['amqp://127.0.0.1:5672', 'amqp://127.0.0.1:5672'],
  ['amqps://sync.example.org/eventsync', 'amqps://sync.example.org/eventsync'],
  ['wss://sync.example.org/ws', 'wss://sync.example.org/ws'],
])('%s', (text, url) => expect(serverUrl(text, false)).toEqual(E.right(url)))

test.each(['', 'example.org', 'http://127.0.0.1', 'amqp+tls://127.0.0.1', 'wss://user:secret@host', 'amqps://user:secret@host'])(
  '%j is refused',
  (text) => {
    expect(serverUrl(text, true)).toMatchObject({ left: { kind: 'usage' } })
  },
)

test('unencrypted to another machine only where a person allows it', () => {
  expect(serverUrl('ws://sync.example.org', false)).toMatchObject({ left: { kind: 'usage' } })
  expect(serverUrl('amqp://sync.example.org', false)).toMatchObject({ left: { kind: 'usage' } })
  expect(serverUrl('ws://127.0.0.1.example.org', false)).toMatchObject({ left: { kind: 'usage' } })
  expect(serverUrl('ws://sync.example.org', true)).toEqual(E.right('ws://sync.example.org'))
})
