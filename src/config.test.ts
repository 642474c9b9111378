import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { deviceConfig, gather, gatewayConfig, type Environment, type Flags, type GatewayConfig } from './config.ts'

const directory = mkdtempSync(join(tmpdir(), 'eventsync-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}

const gateway = (flags: Flags, env: Environment = {}, configFile?: string): GatewayConfig | string => {
  const config = E.Monad.chain(gather(flags, env, configFile), gatewayConfig)
  return E.isRight(config) ? config.right : config.left.map(({ setting, reason }) => `${setting} ${reason}`).join('; ')
}

test('a gateway needs only a data directory', () => {
  expect(gateway({ data: '/d' })).toEqual({
    data: '/d',
    listen: { host: '127.0.0.1', port: 4750 },
    tls: undefined,
    log: { tag: 'sqlite' },
    store: { tag: 'folder' },
    queue: { tag: 'none' },
    passwordClients: false,
    openRegistration: true,
    logLevel: 'info',
  })
  expect(gateway({})).toContain('--data is needed')
})

test('a flag wins over the environment, and the environment over the file', () => {
  const configFile = file('order.json', '{ "data": "/file", "listen": "1.1.1.1:1", "logLevel": "warn" }')
  const env = { EVENTSYNC_LISTEN: '2.2.2.2:2', EVENTSYNC_LOG_LEVEL: 'error' }
  expect(gateway({ logLevel: 'debug' }, env, configFile)).toMatchObject({
    data: '/file',
    listen: { host: '2.2.2.2', port: 2 },
    logLevel: 'debug',
  })
})

describe('where to listen', () => {
  test.each([
    ['[::1]:80', { host: '::1', port: 80 }],
    ['4751', { host: '127.0.0.1', port: 4751 }],
    ['sync.example.org:443', { host: 'sync.example.org', port: 443 }],
  ])('%s', (listen, expected) => expect(gateway({ data: '/d', listen })).toMatchObject({ listen: expected }))

  test.each(['', ':', 'host', 'host:', 'host:99999', 'a:b:1'])('%j is refused', (listen) =>
    expect(gateway({ data: '/d', listen })).toContain('--listen must be HOST:PORT'),
  )
})

test('registration is open on a loopback address, elsewhere only where the operator opens it', () => {
  expect(gateway({ data: '/d', listen: '0.0.0.0:1' })).toMatchObject({ openRegistration: false })
  expect(gateway({ data: '/d', listen: '0.0.0.0:1' }, { EVENTSYNC_REGISTRATION: 'open' })).toMatchObject({ openRegistration: true })
  expect(gateway({ data: '/d' }, { EVENTSYNC_REGISTRATION: 'closed' })).toMatchObject({ openRegistration: false })
  expect(gateway({ data: '/d' }, { EVENTSYNC_REGISTRATION: 'maybe' })).toBe('EVENTSYNC_REGISTRATION must be open or closed')
})

test('a RabbitMQ is named by its address, whose secrets are never repeated', () => {
  const url = 'amqp://user:hunter2@mq.example/eventsync'
  expect(gateway({ data: '/d' }, { EVENTSYNC_AMQP_URL_FILE: file('amqp-url', `${url}\n`) })).toMatchObject({
    queue: {
      tag: 'rabbitmq',
      url,
      managementUrl: 'http://user:hunter2@mq.example:15672/',
      authListen: { host: '127.0.0.1', port: 4751 },
      shards: 8,
    },
    // Whoever reaches the broker reaches this gateway.
    openRegistration: false,
  })
  const wrong = {
    EVENTSYNC_AMQP_URL: 'amqp://hunter2@host',
    EVENTSYNC_AMQP_MANAGEMENT_URL: 'ftp://a:hunter2@host',
    EVENTSYNC_AMQP_SHARDS: '0',
  }
  const refused = gateway({ data: '/d' }, wrong)
  for (const setting of Object.keys(wrong)) expect(refused).toContain(`${setting} must be`)
  expect(refused).not.toContain('hunter2')
})

test('an EventStoreDB server is named by its address, which is never repeated where it is wrong', () => {
  const url = 'esdb://admin:hunter2@db.example:2113'
  expect(gateway({ data: '/d' })).toMatchObject({ log: { tag: 'sqlite' } })
  expect(gateway({ data: '/d' }, { EVENTSYNC_LOG_URL: url })).toMatchObject({ log: { tag: 'eventstoredb', tls: true } })
  expect(gateway({ data: '/d' }, { EVENTSYNC_LOG_URL_FILE: file('log-url', `${url}\n`) })).toMatchObject({ log: { tag: 'eventstoredb' } })
  const refused = gateway({ data: '/d' }, { EVENTSYNC_LOG_URL: `${url}?tls=hunter2` })
  expect(refused).toMatch(/^EVENTSYNC_LOG_URL has an option tls/)
  expect(refused).not.toContain('hunter2')
})

test('an S3 server is named by its address, which is never repeated where it is wrong', () => {
  const url = 's3+http://k:hunter2@127.0.0.1:9000/eventsync?region=eu-1'
  expect(gateway({ data: '/d' }, { EVENTSYNC_STORE_URL: url })).toMatchObject({ store: { tag: 's3', bucket: 'eventsync', region: 'eu-1' } })
  expect(gateway({ data: '/d' }, { EVENTSYNC_STORE_URL_FILE: file('store-url', `${url}\n`) })).toMatchObject({ store: { tag: 's3' } })
  const refused = gateway({ data: '/d' }, { EVENTSYNC_STORE_URL: 'http://k:hunter2@127.0.0.1:9000/eventsync' })
  expect(refused).toContain('EVENTSYNC_STORE_URL must be of the form s3+http://')
  expect(refused).not.toContain('hunter2')
})

test('the configuration file names only settings that there are', () => {
  expect(gateway({ data: '/d' }, {}, file('typo.json', '{ "lisen": "x" }'))).toContain('"lisen" is no setting')
  expect(gateway({ data: '/d' }, {}, file('list.json', '[]'))).toContain('must hold one JSON object')
  expect(gateway({ data: '/d' }, {}, file('broken.json', '{'))).toContain('is not JSON')
  expect(gateway({ data: '/d' }, {}, join(directory, 'none.json'))).toContain('cannot be read')
})

test('a certificate and its key come together', () => {
  expect(gateway({ data: '/d', tlsCert: 'c' })).toContain('must be given together')
  expect(gateway({ data: '/d', tlsCert: 'c', tlsKey: 'k' })).toMatchObject({ tls: { certFile: 'c', keyFile: 'k' } })
})

test('the state directory: --state, EVENTSYNC_STATE, XDG_STATE_HOME', () => {
  const state = (flags: Flags, env: Environment): unknown => {
    const config = E.Monad.chain(gather(flags, env, undefined), (settings) => deviceConfig(settings, env))
    return E.isRight(config) ? config.right.state : config.left
  }
  expect(state({ state: '/a' }, { EVENTSYNC_STATE: '/b', XDG_STATE_HOME: '/c' })).toBe('/a')
  expect(state({}, { EVENTSYNC_STATE: '/b', XDG_STATE_HOME: '/c' })).toBe('/b')
  expect(state({}, { XDG_STATE_HOME: '/c' })).toBe('/c/eventsync')
  expect(state({}, {})).toMatch(/\/\.local\/state\/eventsync$/)
})
