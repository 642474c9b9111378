import type { DatabaseSync } from 'node:sqlite'
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { controlAddress } from '../agent/control/address.ts'
import { serveControl } from '../agent/control/server.ts'
import { claimFolder, type ClaimedFolder } from '../agent/device/folders.ts'
import { startFolderSync } from '../agent/engine/folder-sync.ts'
import { forgetEnd, rememberEnd } from '../agent/index/remembered-status.ts'
import { prepareSchema } from '../agent/index/schema.ts'
import type { FolderFatal, FolderReport, FolderStatus, FolderSync } from '../agent/engine/folder-sync.types.ts'
import { systemClock } from '../lib/clock.ts'
import { releaseMemory } from '../lib/release-memory.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { workerUrl } from '../lib/worker-url.ts'
import type { DeviceConfig } from '../config.ts'
import type { ClientTransport } from '../transport/port.ts'
import { openDevice, type Device } from './account.ts'
import { REACH_MS } from './calls.ts'
import { connect } from './connect.ts'
import { fail, fromDevice, type Failure, type Outcome } from './failure.ts'

export type { FolderReport, FolderStatus }

export interface AgentOptions {
  readonly config: DeviceConfig
  readonly folder: string
  /** Where the gateway is now, if not where `register` found it. */
  readonly server: string | undefined
  readonly report: (event: FolderReport) => void
}

/** One folder being kept in sync by this process; disposing of it drains and lets go of everything. */
export interface RunningAgent extends AsyncDisposable {
  readonly path: string
  readonly sync: FolderSync
  /** Resolves if it stops by itself. */
  readonly failed: Promise<E.Either<Failure, never>>
  /** Resolves once the gateway has been out of reach for a while, unless the signal aborts before. */
  outOfReach(signal: AbortSignal): Promise<Failure>
}

export const startAgent = async (options: AgentOptions): Promise<Outcome<RunningAgent>> => {
  const device = openDevice(options.config.state)
  if (E.isLeft(device)) return device
  const folder = fromDevice(claimFolder(device.right.state, options.folder))
  if (E.isLeft(folder)) return folder
  const index = openIndex(folder.right.index)
  if (E.isRight(index)) return E.right(await run(options, device.right, folder.right, index.right))
  folder.right[Symbol.dispose]()
  return index
}

/** A first sync writes to all of the index: with SQLite's own 2 MiB its pages are read again and again. */
const INDEX_CACHE_MIB = 16

/** The folder's index, of a version that this one reads. */
const openIndex = (file: string): Outcome<DatabaseSync> => {
  try {
    const database = openDatabase(file, { synchronous: 'FULL', cacheMiB: INDEX_CACHE_MIB })
    try {
      prepareSchema(database)
      forgetEnd(database)
      return E.right(database)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const damaged = 'where it is damaged, move it away: it is made anew from the folder and the log'
    return fail('failed', `the index ${file} cannot be used: ${error.message} (${damaged})`)
  }
}

const run = async (
  { config, server, report }: AgentOptions,
  { enrolment, signer }: Device,
  folder: ClaimedFolder,
  index: DatabaseSync,
): Promise<RunningAgent> => {
  await using parts = new AsyncDisposableStack()
  parts.use(folder)
  const database = parts.adopt(index, (db) => db.close())
  const { workerDisk } = await import('../agent/disk/workers/pool.ts')
  const { nodeFileSystem } = await import('../filesystem/node.ts')
  const { chokidarWatch } = await import('../agent/watch/chokidar.ts')
  const address = server ?? enrolment.server
  const transport = parts.use(await connect(address, signer))
  const sync = startFolderSync({
    disk: parts.use(workerDisk(folder.path, { entry: workerUrl('./disk-worker', import.meta.url), fs: nodeFileSystem(folder.path) })),
    watch: chokidarWatch(folder.path),
    transport,
    database,
    clock: systemClock,
    random: Math.random,
    signer,
    agentName: enrolment.name,
    agentKey: signer.key,
    folder: enrolment.folder,
    gatewayKey: enrolment.gatewayKey,
    settings: { scanEverySeconds: config.scanEverySeconds, maxFileSize: config.maxFileSize },
    ...bootOf(),
    report: releasing(report, parts),
  })
  parts.defer(() => sync.stop())
  parts.defer(tellOfFirstFailure(transport, report))
  const failed = sync.failed.then((fatal) => {
    remember(database, fatal)
    return E.left(failureOf(folder.path, fatal))
  })
  // Whoever stops the agent before has no ear for it any more.
  failed.catch(() => undefined)
  const named = (status: FolderStatus): FolderStatus => ({ ...status, folder: folder.path })
  parts.use(
    await serveControl(controlAddress(folder.directory), {
      status: () => named(sync.status()),
      settle: async (signal) => named(await sync.settle(signal)),
      approveDeletions: (paths) => sync.approveDeletions(paths),
    }),
  )
  const all = parts.move()
  return {
    path: folder.path,
    sync,
    failed,
    outOfReach: (signal) => outOfReach(transport, address, signal),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Agents rest most of their time: so long after a first scan or a large sync they give back what it took. */
const RELEASE_AFTER_MS = 3_000

/** Watches what is reported for the end of a large piece of work. */
const releasing = (report: AgentOptions['report'], parts: AsyncDisposableStack): AgentOptions['report'] => {
  let worked = true
  let timer: NodeJS.Timeout | undefined
  parts.defer(() => clearTimeout(timer))
  return (event) => {
    if (event.tag === 'progress') worked = true
    if (event.tag === 'inSync' && worked) {
      worked = false
      clearTimeout(timer)
      timer = setTimeout(releaseMemory, RELEASE_AFTER_MS).unref()
    }
    report(event)
  }
}

/** Names this run of the machine, where the system does. */
const bootOf = (): { readonly boot?: string } => {
  try {
    return { boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() }
  } catch {
    return {}
  }
}

/** Says why an agent that has just begun is not connected; the engine tells of connections that are lost later. */
const tellOfFirstFailure = (transport: ClientTransport, report: AgentOptions['report']): (() => void) => {
  let [heard, told] = [false, false]
  return transport.notifications((notification) => {
    // What comes at once is the state at the start, and no failure.
    if (heard && !told && notification.tag === 'Disconnected') report({ tag: 'disconnected', reason: notification.reason })
    told = heard
    heard = true
  })
}

/** `status` tells of it when there is nobody left to ask. An index that failed itself has no room for it. */
const remember = (database: DatabaseSync, { tag, reason }: FolderFatal): void => {
  if (tag !== 'Index') rememberEnd(database, reason)
}

const failureOf = (path: string, { tag, reason }: FolderFatal): Failure => {
  const kind = ({ Refused: 'refused', LogRewritten: 'damaged', Root: 'failed', Index: 'failed' } as const)[tag]
  return { kind, reason: `${path} is no longer kept in sync: ${reason}` }
}

/** Resolves when the transport has been disconnected for {@link REACH_MS} on end. */
const outOfReach = (transport: ClientTransport, server: string, signal: AbortSignal): Promise<Failure> =>
  new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const stop = transport.notifications((notification) => {
      if (notification.tag === 'FolderAt') return
      clearTimeout(timer)
      if (notification.tag !== 'Disconnected') return
      timer = setTimeout(() => {
        stop()
        resolve({
          kind: 'unreachable',
          reason: `${server} cannot be reached (${notification.reason}): check the address, and that the gateway runs`,
        })
      }, REACH_MS)
    })
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        stop()
      },
      { once: true },
    )
  })
