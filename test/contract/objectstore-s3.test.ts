import { createServer, type Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { S3Address } from '../../src/lib/s3-address.ts'
import { openS3Store } from '../../src/blobstore/object-store/s3.ts'
import type { ObjectStore, StoreError } from '../../src/blobstore/port.ts'
import { fastClock } from '../support/fast-clock.ts'
import { serverFor } from '../support/servers/server.ts'
import { freshBucket } from '../support/servers/bucket.ts'
import { HttpRelay } from './objectstore-s3.ts'
import { right } from './support.ts'

const server = await serverFor('s3')
const clock = fastClock(50)

const reasonOf = (answer: E.Either<StoreError, unknown>): string =>
  E.isLeft(answer) && answer.left.tag === 'Unavailable' ? answer.left.reason : JSON.stringify(answer)

describe.skipIf(server === undefined)('an S3 server', () => {
  let address: S3Address
  let relay: HttpRelay
  let store: ObjectStore
  let parts: AsyncDisposableStack

  beforeEach(async () => {
    parts = new AsyncDisposableStack()
    const far = freshBucket(server ?? '')
    relay = parts.use(new HttpRelay({ host: far.host, port: far.port ?? 80 }))
    address = { ...far, host: '127.0.0.1', port: await relay.listen() }
    store = parts.use(right(await openS3Store(address, clock)()))
  })
  afterEach(() => parts.disposeAsync())

  it('is asked again, a little later each time, when it drops a connection', async () => {
    let drops = 3
    relay.cut = () => drops-- > 0
    right(await store.put('x', [Buffer.from('kept')])())
    drops = 3
    expect(right(await store.get('x')()).toString()).toBe('kept')
  })

  it.each([
    ['the key', { accessKey: 'nobody' }],
    ['the secret', { secretKey: 'hunter2hunter2' }],
  ])('that refuses %s is named with the reason, without the secret, and not asked again', async (_, wrong) => {
    const before = relay.seen.length
    const reason = reasonOf(await openS3Store({ ...address, ...wrong }, clock)())
    expect(reason).toMatch(/does not serve us: .*(AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch)/)
    expect(reason).not.toContain('hunter2')
    expect(relay.seen.length - before).toBe(1)
  })

  it('that drops the connection in the middle of a listing fails it with the reason', async () => {
    right(await store.put('x', [Buffer.from('x')])())
    relay.cut = () => true
    const listing = async () => {
      for await (const { name } of store.list('')) expect(name).toBe('x')
    }
    await expect(listing()).rejects.toThrow(/cannot be reached or does not answer/)
  })

  it('that is not there is out of reach, in words', async () => {
    const nobody = await new Promise<number>((resolve) => {
      const probe = createServer().listen(0, '127.0.0.1', () => {
        const at = probe.address()
        probe.close(() => resolve(typeof at === 'object' && at !== null ? at.port : 1))
      })
    })
    const answer = await openS3Store({ ...address, port: nobody }, clock)()
    expect(reasonOf(answer)).toMatch(/cannot be reached or does not answer \(ECONNREFUSED\)/)
  })

  it('that takes a connection and never answers is given up after the time limit', async () => {
    const held = new Set<Socket>()
    const silent = createServer((socket) => void held.add(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    parts.defer(() => {
      for (const socket of held) socket.destroy()
      silent.close()
    })
    const at = silent.address()
    const port = typeof at === 'object' && at !== null ? at.port : 1
    expect(reasonOf(await openS3Store({ ...address, port, silentMs: 20 }, clock)())).toMatch(/does not answer \(ETIMEDOUT\)/)
  })

  it('answers many requests over the connections that it has, and they are free again after errors', async () => {
    const absent = Array.from({ length: 200 }, (_, at) => store.get(`absent/${at}`)())
    expect((await Promise.all(absent)).every((answer) => E.isLeft(answer) && answer.left.tag === 'NotFound')).toBe(true)
    right(await store.put('x', [Buffer.from('y')])())
  })
})
