import { randomBytes } from 'node:crypto'
import { openS3Store } from '../../../src/blobstore/object-store/s3.ts'
import type { ObjectStore } from '../../../src/blobstore/port.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { s3Address, type S3Address } from '../../../src/lib/s3-address.ts'
import { right } from '../../contract/support.ts'

const parsed = (url: string): S3Address => {
  const address = s3Address(url)
  if (address === undefined) throw new Error('EVENTSYNC_TEST_S3_URL is not of the form s3+http://KEY:SECRET@HOST:PORT/?region=R')
  return address
}

const freshName = (url: string): string => {
  const text = new URL(url)
  text.pathname = `/test-${randomBytes(8).toString('hex')}`
  return text.href
}

/** The address of a bucket that nobody else uses, on the server at `url`. */
export const freshBucket = (url: string): S3Address => parsed(freshName(url))

export const emptied = async (store: ObjectStore): Promise<void> => {
  for await (const { name } of store.list('')) right(await store.remove(name)())
}

/** Such a bucket, made; emptied when it is disposed of. */
export const ownBucket = async (url: string): Promise<AsyncDisposable & { readonly url: string; readonly store: ObjectStore }> => {
  const own = freshName(url)
  const store = right(await openS3Store(parsed(own), systemClock)())
  return {
    url: own,
    store,
    [Symbol.asyncDispose]: async () => {
      await emptied(store)
      await store[Symbol.asyncDispose]()
    },
  }
}
