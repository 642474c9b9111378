import { openSqliteLogReader } from '../eventlog/sqlite.ts'
import type { BlobStore } from '../blobstore/port.ts'
import { systemClock } from '../lib/clock.ts'
import type { FollowSource } from '../projections/follow/runner.ts'
import { logSource, readerSource } from '../projections/follow/sources.ts'
import type { FollowFiles } from './follow-worker.ts'

/** The log as a thread of its own reads it; what is opened is closed with `parts`. */
export const openFollowSource = async (
  { log, remoteLog }: Pick<FollowFiles, 'log' | 'remoteLog'>,
  blobs: Pick<BlobStore, 'get'>,
  parts: AsyncDisposableStack,
): Promise<FollowSource> => {
  if (remoteLog.tag === 'sqlite') return readerSource(parts.use(openSqliteLogReader(log)), blobs)
  const { openEventStoreLog } = await import('../eventlog/eventstoredb/log.ts')
  return logSource(parts.use(openEventStoreLog({ address: remoteLog, sleep: systemClock.sleep })), blobs)
}
