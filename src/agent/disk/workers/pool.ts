import { MessageChannel, Worker } from 'node:worker_threads'
import type { Chunk } from '../../../domain/content.ts'
import type { SyncPath } from '../../../domain/path.ts'
import type { FileSystem } from '../../../filesystem/port.ts'
import type { Disk, Reading, SmallFile, TakeChunk } from '../port.ts'
import type { Large } from '../read.ts'
import { createSession } from '../session.ts'
import { createLane, type Lane } from './lane.ts'
import { packFiles } from './packed-files.ts'
import { work, type WorkArgs, type WorkName, type WorkResult } from './protocol.ts'
import { sharedMemory, takeShown } from './shared-windows.ts'

export interface WorkerOptions {
  /** The module that a worker runs (compose names it: it knows the file system adapter). */
  readonly entry: URL
  /** The same file system, for what is done in this thread. */
  readonly fs: FileSystem
  readonly limits?: Partial<WorkerLimits>
}

export interface WorkerLimits {
  /** Workers that write. */
  readonly writers: number
  /** Calls about at most so many paths and bytes are done at once, in this thread: they cost less than the way to a worker. */
  readonly inlineItems: number
  readonly inlineBytes: number
  /** Bytes that one call may read between the looks; what is larger goes to a worker of its own. */
  readonly quickBytes: number
  /** How long a worker without work is kept. */
  readonly idleMs: number
}

const LIMITS: WorkerLimits = { writers: 2, inlineItems: 16, inlineBytes: 256 * 1024, quickBytes: 8 * 1024 * 1024, idleMs: 10_000 }

const isLittle = (files: readonly SmallFile[], limits: WorkerLimits): boolean =>
  files.length <= limits.inlineItems && files.reduce((sum, { bytes }) => sum + bytes.length, 0) <= limits.inlineBytes

type Run = <Name extends WorkName>(name: Name, args: WorkArgs<Name>) => Promise<WorkResult<Name>>

/** Goes on with what a first reading left as too large; the answer is in the order asked for. */
const readOn = async (
  first: readonly (Reading | Large)[],
  next: (paths: readonly SyncPath[]) => Promise<readonly Reading[]>,
): Promise<readonly Reading[]> => {
  const large = first.flatMap((reading) => (reading.tag === 'large' ? [reading.path] : []))
  const later = large.length === 0 ? [] : [...(await next(large))]
  return first.flatMap((reading) => (reading.tag === 'large' ? later.splice(0, 1) : [reading]))
}

/** Reads a file in a worker that shows its chunks meanwhile, without a copy. */
const readGiving = async (lane: Lane, path: SyncPath, like: readonly Chunk[], take: TakeChunk): Promise<readonly Reading[]> => {
  const memory = sharedMemory()
  const { port1, port2 } = new MessageChannel()
  takeShown({ memory, port: port1 }, take)
  try {
    return await lane.call('readShown', [path, like, { memory, port: port2 }])
  } finally {
    port1.close()
  }
}

interface How {
  readonly like: readonly Chunk[]
  readonly take: TakeChunk | undefined
}

/** A little is read here; more among the looks, in a worker; and what is large where it keeps nobody waiting. */
const reader = (here: Run, quick: Lane, long: Lane, limits: WorkerLimits): Disk['read'] => {
  const atLength = (paths: readonly SyncPath[], { like, take }: How): Promise<readonly Reading[]> => {
    const [only] = paths
    return take === undefined || only === undefined || paths.length > 1
      ? long.call('read', [paths, like])
      : readGiving(long, only, like, take)
  }
  const inWorker = async (paths: readonly SyncPath[], how: How): Promise<readonly Reading[]> =>
    readOn(await quick.call('readWithin', [paths, limits.quickBytes]), (large) => atLength(large, how))
  return async (paths, like = [], take) => {
    // What is said of a file that is read alone is not said of one that is left over of several.
    const own: How = paths.length === 1 ? { like, take } : { like: [], take: undefined }
    return paths.length <= limits.inlineItems
      ? readOn(await here('readWithin', [paths, limits.inlineBytes]), (large) => inWorker(large, own))
      : inWorker(paths, own)
  }
}

/** A few graves are looked at here, as far as that takes little reading. */
const inspector =
  (here: Run, long: Lane, limits: WorkerLimits): Disk['inspectGraves'] =>
  async (graves, buried = []) => {
    if (graves.length > limits.inlineItems) return long.call('inspectGraves', [graves, buried])
    const first = await here('inspectWithin', [graves, buried, limits.inlineBytes])
    const large = graves.flatMap((grave, i) => (first[i]?.tag === 'large' ? [{ grave, known: buried[i] }] : []))
    const later =
      large.length === 0 ? [] : [...(await long.call('inspectGraves', [large.map(({ grave }) => grave), large.map(({ known }) => known)]))]
    return first.flatMap((state) => (state.tag === 'large' ? later.splice(0, 1) : [state]))
  }

/**
 * A Disk whose work is done in worker threads, but for what is little: one for looks and small reads, one for reads that take long, and
 * some that write. What may take the device long (an fsync, the removal of a large file) never runs in this thread. Disposing lets the
 * writes that have begun come to their end, and cuts reads short.
 */
export const workerDisk = (root: string, options: WorkerOptions): Disk => {
  const limits = { ...LIMITS, ...options.limits }
  const start = (): Worker => new Worker(options.entry, { workerData: root })
  const lane = (size: number): Lane => createLane(start, size, limits.idleMs)
  const [quick, long, write] = [lane(1), lane(1), lane(limits.writers)]
  const session = createSession(options.fs)
  let closed = false
  const here: Run = async (name, args) => {
    if (closed) throw new Error('the disk is closed')
    // The type of Run ties the arguments and the result to the name.
    return (work[name] as (...all: readonly unknown[]) => WorkResult<typeof name>)(session, ...args)
  }
  const few = (lane: Lane, items: number): Run => (items <= limits.inlineItems ? here : lane.call)
  return {
    root: () => here('root', []),
    mark: (marker) => write.call('mark', [marker]),
    look: (paths) => few(quick, paths.length)('look', [paths]),
    list: (directories) => quick.call('list', [directories]),
    read: reader(here, quick, long, limits),
    readPiece: (path, offset, chunk) => quick.call('readPiece', [path, offset, chunk]),
    stageFiles: (files, given = false) =>
      isLittle(files, limits) ? here('stageFiles', [files]) : write.call('stagePacked', [packFiles(files, given)]),
    stagePiece: (stage, offset, chunk, source) => write.call('stagePiece', [stage, offset, chunk, source]),
    stagedPieces: (stage, chunks) => long.call('stagedPieces', [stage, chunks]),
    finishStage: (stage, content) => few(write, 1)('finishStage', [stage, content]),
    stageLinks: (links) => few(write, links.length)('stageLinks', [links]),
    dropStages: (stages) => write.call('dropStages', [stages]),
    dropGraves: (graves) => write.call('dropGraves', [graves]),
    leftovers: () => here('leftovers', []),
    persistStages: (stages, paths) => write.call('persistStages', [stages, paths]),
    persist: (paths) => write.call('persist', [paths]),
    apply: (steps) => few(write, steps.length)('apply', [steps]),
    inspectGraves: inspector(here, long, limits),
    exhume: (grave, path) => few(write, 1)('exhume', [grave, path]),
    [Symbol.asyncDispose]: async () => {
      closed = true
      await Promise.all([quick.close(false), long.close(false), write.close(true)])
    },
  }
}
