import { randomBytes } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { codeOf as s3CodeOf, failureOf } from '../../blobstore/object-store/s3-errors.ts'
import type { S3Client } from '../../blobstore/object-store/s3-client.ts'
import { systemClock } from '../../lib/clock.ts'
import type { S3Address } from '../../lib/s3-address.ts'
import { ask } from './ask.ts'
import { checker, type Check } from './check.ts'
import { checkClock } from './clock.ts'

const as = checker('store')
const SILENT_MS = 5000

/** Whether the store's server answers, what this key may do in the bucket, and the server's clock. It puts one small object, and removes it. */
export const checkStore = async (address: S3Address): Promise<readonly Check[]> => {
  const { createS3Client } = await import('../../blobstore/object-store/s3-client.ts')
  const client = createS3Client({ ...address, silentMs: SILENT_MS })
  try {
    return [await rights(client, address.bucket), ...(await server(address))]
  } finally {
    client.close()
  }
}

const rights = async (client: S3Client, bucket: string): Promise<Check> => {
  const name = `doctor/${randomBytes(8).toString('hex')}`
  const probe = Buffer.from('eventsync doctor')
  let doing = 'list'
  try {
    for await (const _ of client.list('doctor/')) break
    doing = 'put'
    await client.put(name, probe)
    doing = 'get'
    const same = probe.equals(await client.get(name))
    doing = 'delete'
    await client.remove(name)
    return same
      ? as.ok('bucket', `"${bucket}": list, put, get and delete work`)
      : as.failed('damaged', 'bucket', `"${bucket}" gives back other bytes than were put`, 'do not use this server')
  } catch (error) {
    return refusal(error, doing, name, bucket)
  }
}

const refusal = (error: unknown, doing: string, name: string, bucket: string): Check => {
  if (s3CodeOf(error) === 'NoSuchBucket')
    return as.warning(
      'bucket',
      `there is no bucket "${bucket}" yet`,
      'the gateway makes it at its start, where its key may; otherwise make it',
    )
  const failure = failureOf(error, name, bucket)
  const reason = 'reason' in failure.error ? failure.error.reason : `"${name}" is not there after it was put`
  const found = `cannot ${doing} in "${bucket}": ${reason}`
  if (failure.again)
    return as.failed('unreachable', 'bucket', found, 'start the server, and check EVENTSYNC_STORE_URL (scheme, host, port)')
  return failure.error.tag === 'Full'
    ? as.failed('failed', 'bucket', found, 'make room in the store')
    : as.failed('refused', 'bucket', found, 'check the key and its secret in EVENTSYNC_STORE_URL, and what the key may do')
}

const server = async ({ secure, host, port }: S3Address): Promise<readonly Check[]> => {
  const answer = await ask(`${secure ? 'https' : 'http'}://${host}${port === undefined ? '' : `:${port}`}/`)
  if (E.isLeft(answer)) return []
  return [
    as.ok('server', answer.right.server ?? 'it answers, and does not say what it is'),
    checkClock(as, answer.right.date, systemClock.wall()),
  ]
}
