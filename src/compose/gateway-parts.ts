import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../config.ts'
import { createBlobStore, type ChunkStore } from '../blobstore/chunk-store.ts'
import { DEFAULT_SETTINGS, type GatewayDeps, type GatewaySettings } from '../gateway/deps.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { createMetrics } from '../gateway/metrics.ts'
import { scryptPasswords } from '../gateway/passwords.ts'
import { openUploads } from '../gateway/uploads.ts'
import { systemClock } from '../lib/clock.ts'
import { createLog, type Log } from '../lib/log.ts'
import { catchUp } from '../projections/state/catch-up.ts'
import type { DataDirectory } from './data-directory.ts'
import { openEventLog, type OpenedLog } from './event-log.ts'
import { fail, type Outcome } from './failure.ts'
import { startFollowing, type Following } from './follow.ts'
import type { FollowFiles } from './follow-worker.ts'
import { openObjectStore, storeTrouble } from './object-store.ts'
import { openRebuildable, opening } from './open-database.ts'
import { verifyByThread } from './verify-by-thread.ts'

/** All that a gateway stands on, whoever it serves. */
export interface GatewayParts {
  readonly config: GatewayConfig
  readonly deps: GatewayDeps & { readonly logger: Log; readonly metrics: ReturnType<typeof createMetrics>; readonly blobs: ChunkStore }
  readonly opened: OpenedLog
  readonly following: Following
  readonly files: FollowFiles
  /** The data directory. */
  readonly data: string
}

const settingsOf = (config: GatewayConfig): GatewaySettings => ({
  ...DEFAULT_SETTINGS,
  registration: config.openRegistration ? 'open' : 'closed',
  passwordClients: config.passwordClients ? 'allow' : 'refuse',
})

/** Of packs that were stored last, kept in memory for whoever asks for them next. */
const LATEST_PACKS_BYTES = 32 * 1024 * 1024

const openDatabases = (data: DataDirectory, parts: AsyncDisposableStack) => {
  const closing = (db: DatabaseSync): DatabaseSync => parts.adopt(db, () => db.close())
  return opening(data.path, () => ({
    projections: closing(openRebuildable(data.projections)),
    uploads: openUploads(closing(openRebuildable(data.uploads))),
  }))
}

/** Opens the log, the store and the projections of a data directory; what it opens is closed with `parts`. */
export const openGatewayParts = async (
  config: GatewayConfig,
  data: DataDirectory,
  parts: AsyncDisposableStack,
): Promise<Outcome<GatewayParts>> => {
  const logger = await createLog(config.logLevel)
  const opened = await openEventLog(config.log, data, logger, parts)
  if (E.isLeft(opened)) return opened
  const { log, state, shared } = opened.right
  const databases = openDatabases(data, parts)
  if (E.isLeft(databases)) return databases
  const { projections, uploads } = databases.right
  const store = await openObjectStore(config.store, data.objects)()
  if (E.isLeft(store)) return fail('failed', storeTrouble(config.store, data.objects, store.left))
  const files = { log: data.log, remoteLog: config.log, objects: data.objects, store: config.store, projections: data.projections }
  const following = parts.use(startFollowing(files, projections, state.decoder))
  const { followed } = following
  const metrics = createMetrics()
  const deps = {
    log,
    blobs: createBlobStore(parts.use(store.right), followed, { latestBytes: LATEST_PACKS_BYTES }),
    state,
    ...(shared ? { shared: state } : {}),
    followed,
    uploads,
    instance: data.instance,
    clock: systemClock,
    random: randomBytes,
    signer: data.signer,
    verify: parts.use(verifyByThread()).verify,
    passwords: scryptPasswords(randomBytes),
    turn: () => turn(),
    settings: settingsOf(config),
    metrics,
    logger,
  }
  return E.right({ config, deps, opened: opened.right, following, files, data: data.path })
}

/**
 * Everything that is in the log is folded in before the first request is answered. Where others append to it too, they are told when this gateway comes and
 * goes: what is retired from then on waits for it.
 */
export const inStep = async (
  { opened, following }: Pick<GatewayParts, 'opened' | 'following'>,
  { presence }: Gateway,
  parts: AsyncDisposableStack,
): Promise<Outcome> => {
  const { log, state, shared } = opened
  const { followed, ended } = following
  const told = shared ? await presence.started() : E.right(undefined)
  if (E.isLeft(told)) return fail('failed', `the log cannot be written: ${told.left.reason}`)
  if (shared) parts.defer(async () => void (await presence.stopped()))
  const caughtUp = await catchUp(log, state)
  if (E.isLeft(caughtUp)) return fail('damaged', `the log cannot be followed: ${caughtUp.left.reason}`)
  const reached = await Promise.race([followed.caughtUp.then(() => undefined), ended])
  if (reached !== undefined) return fail('damaged', `the log cannot be followed: ${reached}`)
  const passed = shared ? await presence.pass() : E.right(undefined)
  return E.isLeft(passed) ? fail('failed', `the log cannot be written: ${passed.left.reason}`) : E.right(undefined)
}
