import * as E from 'fp-ts/lib/Either.js'
import type { ObjectStore, StoreError } from '../port.ts'
import { checkName, checkPrefix } from './names.ts'

export type StoreOperation = 'put' | 'get' | 'stat' | 'remove'

export interface MemoryStoreOptions {
  /** Decides over each operation: a left is its answer, and nothing was done. One that is decided by a promise waits, and others may come before it. */
  readonly fault?: (operation: StoreOperation, name: string) => StoreError | undefined | Promise<StoreError | undefined>
}

export interface MemoryStore extends ObjectStore {
  /** What is stored, for tests to look at and to damage. */
  readonly objects: Map<string, Buffer>
}

const slice = (name: string, bytes: Buffer, range?: { readonly offset: number; readonly length: number }): E.Either<StoreError, Buffer> => {
  if (range === undefined) return E.right(Buffer.from(bytes))
  const part = bytes.subarray(range.offset, range.offset + range.length)
  return part.length < range.length ? E.left({ tag: 'Damaged', name, reason: 'shorter than its range' }) : E.right(Buffer.from(part))
}

/** An object store in memory, for tests and the model, with faults on demand. */
export const createMemoryStore = ({ fault = () => undefined }: MemoryStoreOptions = {}): MemoryStore => {
  const objects = new Map<string, Buffer>()
  const doing =
    <A>(operation: StoreOperation, name: string, work: () => E.Either<StoreError, A>) =>
    async () => {
      checkName(name)
      const error = await fault(operation, name)
      return error === undefined ? work() : E.left(error)
    }
  const found = (name: string): E.Either<StoreError, Buffer> => {
    const bytes = objects.get(name)
    return bytes === undefined ? E.left({ tag: 'NotFound', name }) : E.right(bytes)
  }
  async function* list(prefix: string) {
    checkPrefix(prefix)
    for (const [name, bytes] of [...objects]) if (name.startsWith(prefix)) yield { name, size: bytes.length }
  }
  return {
    objects,
    put: (name, bytes) => doing('put', name, () => E.right(void objects.set(name, Buffer.concat(bytes)))),
    get: (name, range) => doing('get', name, () => E.flatMap((bytes: Buffer) => slice(name, bytes, range))(found(name))),
    stat: (name) => doing('stat', name, () => E.map((bytes: Buffer) => bytes.length)(found(name))),
    list,
    remove: (name) => doing('remove', name, () => E.right(void objects.delete(name))),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
