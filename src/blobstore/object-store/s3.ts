import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import type { Clock } from '../../lib/clock.ts'
import { createLimit } from '../../lib/limit.ts'
import type { ObjectStore, StoreError } from '../port.ts'
import { checkName, checkPrefix } from './names.ts'
import { createS3Client, type S3Client, type S3Options } from './s3-client.ts'
import { failureOf } from './s3-errors.ts'

/** Requests at once; more only wait in the server, and each upload holds its bytes (I16). */
const MAX_REQUESTS = 24
/** A server that is restarted, or has too much to do, gets so many more tries, with pauses that double from the first. */
const TRIES = 5
const FIRST_PAUSE_MS = 100

type Range = { readonly offset: number; readonly length: number }

const damaged = (name: string): E.Either<StoreError, never> => E.left({ tag: 'Damaged', name, reason: 'shorter than its range' })

const read = async (client: S3Client, name: string, range?: Range): Promise<E.Either<StoreError, Buffer>> => {
  // HTTP has no range without a byte.
  if (range?.length === 0) return (await client.size(name)) < range.offset ? damaged(name) : E.right(Buffer.alloc(0))
  const bytes = await client.get(name, range)
  return range !== undefined && bytes.length < range.length ? damaged(name) : E.right(bytes)
}

/** Every request may be made twice: the same name always gets the same bytes. */
const attempts = (bucket: string, clock: Clock) => {
  const limited = createLimit(MAX_REQUESTS)
  return <A>(name: string, work: () => Promise<E.Either<StoreError, A>>): TE.TaskEither<StoreError, A> =>
    async () => {
      for (let tried = 1; ; tried += 1) {
        try {
          return await limited(work)
        } catch (error) {
          const failure = failureOf(error, name, bucket)
          if (!failure.again || tried === TRIES) return E.left(failure.error)
        }
        await clock.sleep(FIRST_PAUSE_MS * 2 ** (tried - 1))
      }
    }
}

const storeOver = (client: S3Client, attempt: ReturnType<typeof attempts>, bucket: string): ObjectStore => {
  async function* list(prefix: string) {
    checkPrefix(prefix)
    try {
      yield* client.list(prefix)
    } catch (error) {
      const { error: why } = failureOf(error, prefix, bucket)
      throw new Error('reason' in why ? why.reason : `the object store has no list of ${prefix}`, { cause: error })
    }
  }
  const named =
    <A>(name: string, work: () => Promise<E.Either<StoreError, A>>): TE.TaskEither<StoreError, A> =>
    async () => {
      checkName(name)
      return attempt(name, work)()
    }
  return {
    put: (name, pieces) => named(name, async () => E.right(await client.put(name, Buffer.concat(pieces)))),
    get: (name, range) => named(name, () => read(client, name, range)),
    stat: (name) => named(name, async () => E.right(await client.size(name))),
    list,
    remove: (name) => named(name, async () => E.right(await client.remove(name))),
    [Symbol.asyncDispose]: async () => client.close(),
  }
}

/**
 * Objects in a bucket of any server that speaks S3 (MinIO and its forks, Ceph, SeaweedFS, Amazon's own). The bucket is made where it is
 * missing. An object is one PUT, which such a server shows whole or not at all; the server checks what arrives against the digest that
 * comes with it, and chunks are checked against their hash when they are read (`ChunkStore`). Objects are at most a pack long, below the
 * size from which an upload in parts pays.
 */
export const openS3Store = (options: S3Options, clock: Clock): TE.TaskEither<StoreError, ObjectStore> => {
  const client = createS3Client(options)
  const attempt = attempts(options.bucket, clock)
  const store = storeOver(client, attempt, options.bucket)
  return async () => {
    const made = await attempt(options.bucket, async () => E.right(await client.makeBucket()))()
    if (E.isRight(made)) return E.right(store)
    client.close()
    return made
  }
}
