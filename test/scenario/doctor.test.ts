import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checker } from '../../src/compose/doctor/check.ts'
import { checkClock } from '../../src/compose/doctor/clock.ts'
import { selfSigned } from '../support/certificate.ts'
import { StandIn } from '../support/eventstoredb/server.ts'
import { Daemon, run, type Environment } from '../support/processes.ts'
import { freePorts } from '../support/servers/ports.ts'
import { makeVhost } from '../support/servers/rabbitmq-vhost.ts'
import { serverFor } from '../support/servers/server.ts'
import { until } from '../support/wait.ts'

let place = ''
let listen = ''
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'eventsync-doctor-'))
  const [port = 0] = await freePorts(1)
  listen = `127.0.0.1:${port}`
})
afterEach(() => rmSync(place, { recursive: true }))

interface Check {
  readonly part: string
  readonly what: string
  readonly state: string
  readonly found: string
  readonly todo: string
}

/** The exit code, the checks by `part: what`, and everything that was written. */
const examine = async (env: Environment = {}, more: readonly string[] = []) => {
  const { code, stdout, stderr } = await run(['doctor', '--data', join(place, 'data'), '--listen', listen, '--json', ...more], env, 60)
  // What src/cli/doctor.ts prints.
  const { checks } = JSON.parse(stdout === '' ? '{"checks":[]}' : stdout) as { readonly checks: readonly Check[] }
  return { code, all: stdout + stderr, checks: new Map(checks.map((check) => [`${check.part}: ${check.what}`, check])) }
}

test('it finds nothing to do where nothing is yet, makes nothing, and says what comes next', async () => {
  const { code, checks } = await examine()
  expect(code).toBe(0)
  expect(checks.get('data: directory')?.state).toBe('ok')
  expect(checks.get('gateway: ready')).toMatchObject({ state: 'warning', todo: 'start it: eventsync serve, with the same settings' })
  expect(readdirSync(place)).toEqual([])
})

test('it finds a gateway that runs, and prints a line for each check', async () => {
  await using gateway = new Daemon(['serve', '--data', join(place, 'data'), '--listen', listen])
  await until('the gateway', () => gateway.lines.some((line) => line.includes('listening')))
  const { code, stdout } = await run(['doctor', '--data', join(place, 'data'), '--listen', listen])
  expect(code).toBe(0)
  expect(stdout).toContain(`ok       gateway: ready: it takes requests at ${listen}`)
})

test('it fails where the key of the gateway can be read by others, or the certificate is none', async () => {
  mkdirSync(join(place, 'data'))
  const files = [join(place, 'data/gateway.pem'), join(place, 'cert')]
  for (const file of files) writeFileSync(file, 'not a key')
  chmodSync(files[0]!, 0o644)
  const { code, checks } = await examine({}, ['--tls-cert', files[1]!, '--tls-key', files[1]!])
  expect(code).toBe(1)
  expect(checks.get('data: key')?.todo).toContain('chmod 600')
  expect(checks.get('data: certificate')?.state).toBe('failed')
})

test('servers that are out of reach end it with 4, a setting that is wrong with 2, and no secret is told', async () => {
  const [port = 0] = await freePorts(1)
  const secret = randomBytes(12).toString('hex')
  const away = await examine({
    EVENTSYNC_LOG_URL: `esdb://admin:${secret}@127.0.0.1:${port}`,
    EVENTSYNC_STORE_URL: `s3+http://${secret}:${secret}@127.0.0.1:${port}/bucket`,
    EVENTSYNC_AMQP_URL: `amqp://user:${secret}@127.0.0.1:${port}`,
    EVENTSYNC_AMQP_MANAGEMENT_URL: `http://user:${secret}@127.0.0.1:${port}`,
  })
  expect(away.code).toBe(4)
  for (const name of ['log: reading', 'store: bucket', 'queue: connection', 'queue: management'])
    expect([name, away.checks.get(name)?.state]).toEqual([name, 'failed'])
  expect(away.all).not.toContain(secret)
  const wrong = await examine({ EVENTSYNC_STORE_URL: `s3://${secret}` })
  expect(wrong.code).toBe(2)
  expect(wrong.all).not.toContain(secret)
})

test('it reads the log as its user, and says where the password is wrong', async () => {
  const user = { username: 'admin', password: randomBytes(12).toString('hex') }
  const tls = selfSigned()
  const server = await StandIn.start({ user, tls })
  writeFileSync(join(place, 'ca.pem'), tls.cert)
  const url = (password: string): string => `esdb://admin:${password}@127.0.0.1:${server.port}?tlsCAFile=${join(place, 'ca.pem')}`
  try {
    const right = await examine({ EVENTSYNC_LOG_URL: url(user.password) })
    expect(right.checks.get('log: reading')?.state).toBe('ok')
    const wrong = await examine({ EVENTSYNC_LOG_URL: url('wrong') })
    expect([wrong.code, wrong.checks.get('log: reading')?.state]).toEqual([5, 'failed'])
    expect(right.all + wrong.all).not.toContain(user.password)
  } finally {
    await server.stop()
  }
})

const s3 = await serverFor('s3')
describe.runIf(s3 !== undefined)('over a real S3 server', () => {
  const addressed = (bucket: string, secret?: string): string => {
    const url = new URL(s3!)
    url.pathname = `/${bucket}`
    if (secret !== undefined) url.password = secret
    return url.href
  }

  test('it tries what the key may do in the bucket, and leaves nothing there', async () => {
    const bucket = `doctor-${randomBytes(6).toString('hex')}`
    const env = { EVENTSYNC_STORE_URL: addressed(bucket) }
    const before = await examine(env)
    expect(before.checks.get('store: bucket')).toMatchObject({ state: 'warning', found: `there is no bucket "${bucket}" yet` })
    await using gateway = new Daemon(['serve', '--data', join(place, 'data'), '--listen', listen], env)
    await until('the gateway', () => gateway.lines.some((line) => line.includes('listening')), 60)
    const { code, checks, all } = await examine(env)
    expect([code, checks.get('store: bucket')?.state, checks.get('store: clock')?.state]).toEqual([0, 'ok', 'ok'])
    expect(all).not.toContain(new URL(s3!).password)
  })

  test('it says that the secret does not fit', async () => {
    const { code, checks } = await examine({ EVENTSYNC_STORE_URL: addressed('some-bucket', 'wrong') })
    expect([code, checks.get('store: bucket')?.state]).toEqual([5, 'failed'])
  })
})

const rabbit = await serverFor('rabbitmq')
describe.runIf(rabbit !== undefined)('over a real RabbitMQ', () => {
  test('it finds the broker with its rights, nodes and clock, and what the gateways declare there', async () => {
    await using vhost = await makeVhost(rabbit!)
    const [auth = 0] = await freePorts(1)
    const env = {
      EVENTSYNC_AMQP_URL: vhost.url,
      EVENTSYNC_AMQP_MANAGEMENT_URL: vhost.managementUrl,
      EVENTSYNC_AMQP_AUTH_LISTEN: `127.0.0.1:${auth}`,
      EVENTSYNC_AMQP_SHARDS: '2',
    }
    const before = await examine(env)
    for (const what of ['connection', 'version', 'clock', 'rights'])
      expect([what, before.checks.get(`queue: ${what}`)?.state]).toEqual([what, 'ok'])
    expect(before.checks.get('queue: topology')?.found).toContain('nothing of EventSync')
    await using gateway = new Daemon(['serve', '--data', join(place, 'data'), '--listen', listen], env)
    await until('the gateway', () => gateway.lines.some((line) => line.includes('serving over RabbitMQ')), 60)
    // The management's figures of readers come some seconds late.
    const after = await until(
      'readers',
      async () => {
        const now = await examine(env)
        return now.checks.get('queue: topology')?.state === 'ok' ? now : undefined
      },
      60,
    )
    expect([after.code, after.checks.get('gateway: broker questions')?.state]).toEqual([0, 'ok'])
    const other = await examine({ ...env, EVENTSYNC_AMQP_SHARDS: '3' })
    expect([other.code, other.checks.get('queue: topology')?.state]).toEqual([1, 'failed'])
    expect(before.all + after.all).not.toContain(new URL(vhost.url).password)
  })

  test('it says that the broker does not take the password', async () => {
    await using vhost = await makeVhost(rabbit!)
    const wrong = new URL(vhost.url)
    wrong.password = 'wrong'
    const { code, checks } = await examine({ EVENTSYNC_AMQP_URL: wrong.href, EVENTSYNC_AMQP_MANAGEMENT_URL: vhost.managementUrl })
    expect([code, checks.get('queue: connection')?.state]).toEqual([5, 'failed'])
  })
})

test('a clock that is seconds away is noticed, one that is a quarter of an hour away is a failure', () => {
  const at = Date.parse('2026-11-23T12:00:00Z')
  const state = (ms: number): string => checkClock(checker('store'), new Date(at).toUTCString(), at + ms).state
  expect([0, 2000, -2000, 10_000, -10_000, 16 * 60_000, -16 * 60_000].map(state)).toEqual([
    'ok',
    'ok',
    'ok',
    'warning',
    'warning',
    'failed',
    'failed',
  ])
  expect(checkClock(checker('store'), undefined, at).state).toBe('warning')
})
