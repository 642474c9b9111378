import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { connect } from 'amqplib'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { openDevice } from '../../src/compose/account.ts'
import type { Change } from '../../src/domain/change.ts'
import { directoryContent } from '../../src/domain/content.ts'
import { parsePath } from '../../src/domain/path.ts'
import { signBatch } from '../../src/protocol/batch.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import { encodeRequest } from '../../src/protocol/request.ts'
import { bodyOf, CONTENT_TYPE } from '../../src/transport/rabbitmq/wire.ts'
import { run } from '../support/processes.ts'
import { createRabbitWorld } from '../support/rabbit-world.ts'
import { freePorts } from '../support/servers/ports.ts'
import { makeVhost } from '../support/servers/rabbitmq-vhost.ts'
import { serverFor } from '../support/servers/server.ts'
import type { Device } from '../support/world.ts'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'

const lines = (text: string): JsonObject[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    // What src/cli/dead-letters.ts prints.
    .map((line) => JSON.parse(line) as JsonObject)

/** A message of changes that the device has signed: a new folder of this name. */
const signedBy = (device: Device, name: string): JsonObject => {
  const opened = openDevice(realpathSync(device.state))
  const path = parsePath(name)
  if (E.isLeft(opened) || E.isLeft(path)) throw new Error('there is no such device')
  const { signer, enrolment } = opened.right
  const change: Change = { tag: 'create', path: path.right, content: directoryContent('0'), base: 'none' }
  const head = {
    version: 1,
    folder: enrolment.folder,
    agent: signer.key,
    epoch: randomBytes(8).toString('hex'),
    number: 1,
    previous: '',
    position: -1,
    chain: '',
  } as const
  return encodeRequest({ tag: 'Changes', key: signer.key, batch: signBatch(head, [change], signer, 0, []) }, 0)
}

test('dead letters need the address of the broker, and say what is wrong with it without its password', async () => {
  expect(await run(['dead-letters'], { EVENTSYNC_AMQP_URL: undefined })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('EVENTSYNC_AMQP_URL') as string,
  })
  const [port = 0] = await freePorts(1)
  const away = await run(['dead-letters'], { EVENTSYNC_AMQP_URL: `amqp://user:secret@127.0.0.1:${port}` })
  expect(away).toMatchObject({ code: 4, stdout: '' })
  expect(away.stderr).toContain('The broker cannot be reached')
  expect(away.stderr).not.toContain('secret')
  for (const command of [['resend'], ['drop', '--yes'], ['drop', '--all'], ['list', '--limit', 'x']])
    expect(await run(['dead-letters', ...command], { EVENTSYNC_AMQP_URL: `amqp://user:secret@127.0.0.1:${port}` })).toMatchObject({
      code: 2,
    })
})

const server = await serverFor('rabbitmq')

describe.skipIf(server === undefined)('over a real RabbitMQ', () => {
  test('a user that the broker does not let in is told so (5), and a broker without EventSync (1)', async () => {
    await using vhost = await makeVhost(server ?? '')
    const nothing = await run(['dead-letters'], { EVENTSYNC_AMQP_URL: vhost.url })
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('eventsync.dead') as string })
    const wrong = new URL(vhost.url)
    wrong.password = 'wrong'
    expect(await run(['dead-letters'], { EVENTSYNC_AMQP_URL: wrong.href })).toMatchObject({ code: 5 })
  })

  test('letters are listed, shown without passwords, sent again only on their own proof, and dropped on a word', async () => {
    await using net = await createRabbitWorld(server ?? '')
    const env = { EVENTSYNC_AMQP_URL: net.gatewayUrl, EVENTSYNC_AMQP_SHARDS: '2' }
    const letters = (...args: string[]) => run(['dead-letters', ...args], env)
    expect(await letters()).toMatchObject({ code: 0, stdout: 'There are no dead letters.\n' })
    const laptop = await net.device('laptop')
    await laptop.start()
    await laptop.settle()
    const signed = signedBy(laptop, 'again')
    const forged = { ...signedBy(laptop, 'forged'), Signature: signed['Signature'] ?? '' }
    const key = (signed['Agent'] as JsonObject)['Key'] ?? ''
    const account = { Email: 'eve@example.org', Password: 'hidden' }
    const requests: JsonObject[] = [
      signed,
      forged,
      { Action: 'RevokeAgent', Timestamp: 0, Agent: { Key: key }, Target: key, Reason: 'forged' },
      { Action: 'RegisterUser', Timestamp: 0, Agent: { Key: key, User: account } },
    ]
    await using admin = new AsyncDisposableStack()
    const connection = admin.adopt(await connect(net.gatewayUrl), (model) => model.close())
    const channel = await connection.createConfirmChannel()
    for (const [n, head] of requests.entries()) {
      const body = bodyOf('request', { message: head, payload: new Uint8Array(0) })
      if (E.isLeft(body)) throw new Error(body.left)
      channel.publish('eventsync.requests', '0', body.right, { contentType: CONTENT_TYPE })
      await until('it to be set aside', async () => lines((await letters('list', '--json')).stdout).length === n + 1)
    }
    const listed = lines((await letters('list', '--json')).stdout)
    expect(listed.map(({ action }) => action)).toEqual(['Changes', 'Changes', 'RevokeAgent', 'RegisterUser'])
    const ids = listed.map(({ id }) => (typeof id === 'string' ? id : ''))
    const shown = await letters('show', ids[3] ?? '')
    expect(shown.stdout).toContain('eve@example.org')
    expect(shown.stdout).not.toContain('hidden')
    expect(await letters('show', 'abc')).toMatchObject({ code: 1 })

    const resent = await letters('resend', '--all', '--json')
    expect(resent.code).toBe(1)
    expect(lines(resent.stdout)).toMatchObject([
      { id: ids[0], removed: true, status: 200 },
      { id: ids[1], removed: false, status: 403 },
      { id: ids[2], removed: false, tag: 'notSent' },
      { id: ids[3], removed: true, status: 200 },
    ])
    await until('the folder to arrive', () => pathsOf(laptop.folder).includes('again'))
    expect(pathsOf(laptop.folder)).toEqual(['again'])
    expect((await laptop.status()).connected).toBe(true)
    expect(await letters('resend', ids[0] ?? '')).toMatchObject({ code: 1, stderr: expect.stringContaining('no dead letter') as string })

    expect(await letters('drop', ids[1] ?? '')).toMatchObject({ code: 2 })
    expect(await letters('drop', ids[1] ?? '', '--yes')).toMatchObject({ code: 0 })
    expect(lines((await letters('list', '--json')).stdout).map(({ id }) => id)).toEqual([ids[2]])
    expect(await letters('drop', '--all', '--yes')).toMatchObject({ code: 0 })
    expect((await letters()).stdout).toBe('There are no dead letters.\n')
  })
})
