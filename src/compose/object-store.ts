import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { ObjectStore, StoreError } from '../blobstore/port.ts'
import type { GatewayConfig } from '../config.ts'
import { systemClock } from '../lib/clock.ts'

/** Opens the store that the configuration names; `objects` is the folder of the embedded one. What another store needs is not even loaded. */
export const openObjectStore =
  (config: GatewayConfig['store'], objects: string): TE.TaskEither<StoreError, ObjectStore> =>
  async () => {
    if (config.tag === 's3') {
      const { openS3Store } = await import('../blobstore/object-store/s3.ts')
      return openS3Store(config, systemClock)()
    }
    const { openFilesystemStore } = await import('../blobstore/object-store/filesystem.ts')
    return openFilesystemStore(objects)()
  }

/** What to tell a person of a store that cannot be opened. */
export const storeTrouble = (config: GatewayConfig['store'], objects: string, error: StoreError): string => {
  const where = config.tag === 's3' ? `the bucket "${config.bucket}" at ${config.host}` : objects
  return `the contents in ${where} cannot be opened: ${'reason' in error ? error.reason : 'there is nothing'}`
}
