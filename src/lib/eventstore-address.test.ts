import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { parseEventStoreAddress } from './eventstore-address.ts'

const parsed = (text: string) => {
  const address = parseEventStoreAddress(text)
  if (E.isLeft(address)) throw new Error(address.left)
  return address.right
}

describe('the address of an event log', () => {
  it('names one server, with TLS and a user', () => {
    expect(parsed('esdb://admin:changeit@db.example:2114')).toMatchObject({
      servers: { tag: 'one', endpoint: { address: 'db.example', port: 2114 } },
      user: { username: 'admin', password: 'changeit' },
      tls: true,
      streamPrefix: '',
    })
  })

  it.each([
    [
      'esdb://a:b@one:1,two:2,three/?tls=true',
      {
        tag: 'several',
        endpoints: [
          { address: 'one', port: 1 },
          { address: 'two', port: 2 },
          { address: 'three', port: 2113 },
        ],
      },
    ],
    ['esdb+discover://a:b@cluster', { tag: 'discover', endpoint: { address: 'cluster', port: 2113 } }],
    ['kurrentdb+discover://a:b@cluster:3000', { tag: 'discover', endpoint: { address: 'cluster', port: 3000 } }],
    ['kurrentdb://localhost:2113?tls=false', { tag: 'one', endpoint: { address: 'localhost', port: 2113 } }],
  ])('names its servers: %s', (text, servers) => {
    expect(parsed(text).servers).toEqual(servers)
  })

  it('keeps what a password may hold', () => {
    expect(parsed('esdb://us%40er:p%3Aa:ss%2F%40%3F@host').user).toEqual({ username: 'us@er', password: 'p:a:ss/@?' })
  })

  it('reads the options that it knows, in any spelling, and passes over those that change nothing here', () => {
    const text = 'esdb://a:b@h?TLS=true&tls-CA-file=%2Fetc%2Fca.pem&streamPrefix=team.&keepAliveInterval=20000&nodePreference=leader'
    expect(parsed(text)).toMatchObject({ tls: true, caFile: '/etc/ca.pem', streamPrefix: 'team.', keepAliveInterval: 20_000 })
  })

  it.each([
    'http://host',
    'esdb://user@host',
    'esdb://host:2113',
    'esdb://us%er:secret@host',
    'esdb://user:secret@host:99999',
    'esdb://user:secret@host one',
    'esdb://user:secret@host?secret=1',
    'esdb://user:secret@host?tls=secret',
    'esdb://user:secret@host?tls=',
    'esdb://user:secret@host?tlsVerifyCert=false',
    'esdb://user:secret@host?streamPrefix=$secret',
    'esdb://user:secret@host?keepAliveInterval=secret',
    'esdb+discover://user:secret@one,two',
  ])('says what is wrong with %s, and quotes nothing of it', (text) => {
    const address = parseEventStoreAddress(text)
    expect(E.isLeft(address) && address.left).not.toMatch(/secret|^$/)
    expect(E.isLeft(address)).toBe(true)
  })
})
