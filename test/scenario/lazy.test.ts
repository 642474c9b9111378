import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { embedded } from '../support/profiles/embedded.ts'
import { run, type Environment } from '../support/processes.ts'
import { expectSame, World } from '../support/world.ts'

const HOOK = join(import.meta.dirname, 'children', 'loaded-modules.ts')
const OF_OTHER_PROFILES = ['amqplib', 'minio', '@eventstore/db-client', '@grpc/grpc-js']

const directory = mkdtempSync(join(tmpdir(), 'eventsync-lazy-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** An environment whose processes write down the packages that they load. */
const watched = (name: string): { readonly env: Environment; readonly loaded: () => ReadonlySet<string> } => {
  const file = join(directory, name)
  writeFileSync(file, '')
  return {
    env: { NODE_OPTIONS: `--import ${HOOK}`, EVENTSYNC_TEST_LOADED: file },
    loaded: () => new Set(readFileSync(file, 'utf8').split('\n')),
  }
}

test('the embedded profile loads nothing of RabbitMQ, EventStoreDB and S3, in a gateway, an agent, or a command', async () => {
  const { env, loaded } = watched('embedded')
  await using world = await World.create({}, { ...embedded(), settings: env, devices: env })
  const [laptop, desktop] = await world.pair()
  writeFileSync(laptop.path('a'), 'x')
  await expectSame(laptop, desktop)
  expect((await laptop.run('status')).code).toBe(0)
  for (const needed of ['ws', 'chokidar', 'fp-ts']) expect(loaded()).toContain(needed)
  for (const other of OF_OTHER_PROFILES) expect(loaded()).not.toContain(other)
})

test('and what is chosen is loaded', async () => {
  const { env, loaded } = watched('others')
  const nowhere = '127.0.0.1:1'
  const data = join(directory, 'data')
  await run(['serve', '--data', data, '--listen', '127.0.0.1:0'], { ...env, EVENTSYNC_LOG_URL: `esdb://${nowhere}?tls=false` })
  await run(['register', 'ada@example.org', '--server', `amqp://${nowhere}`, '--state', join(directory, 'state')], {
    ...env,
    EVENTSYNC_PASSWORD: 'x',
  })
  await run(['serve', '--data', data, '--listen', '127.0.0.1:0'], {
    ...env,
    EVENTSYNC_STORE_URL: `s3+http://a:b@${nowhere}/bucket?region=r`,
  })
  for (const chosen of OF_OTHER_PROFILES) expect(loaded()).toContain(chosen)
})
