import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { gatewayConfig, type GatewayConfig, type Settings } from '../config.ts'
import { DATA_MARKER } from '../domain/path.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { workerUrl } from '../lib/worker-url.ts'
import type { Compared } from '../projections/compare.ts'
import { readHistory } from '../projections/history/reads.ts'
import { folderStream } from '../protocol/streams.ts'
import { openAudit, type Audit, type AuditOptions } from './audit.ts'
import { materialise, sameTree, type Materialised } from './audit-replayed-folder.ts'
import { emptyDirectory, type Restored } from './audit-restore.ts'
import { dataFiles, type DataFiles } from './data-directory.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import type { FromReplay, ReplayFiles } from './replay-worker.ts'

/** All projections made anew from the log's first event, and what they are beside the live ones. */
export interface Replayed {
  readonly events: number
  readonly seconds: number
  /** Of this process, at its highest. */
  readonly peakMemory: number
  readonly projections: Readonly<Record<string, Compared>>
  /** Up to where the folder was asked about, and what it was put into. */
  readonly folder?: { readonly position: number; readonly materialised?: Materialised }
}

/** `until`: a moment of the folder, to which the log is replayed. `to`: an empty or new directory, which gets the folder as it is then. */
export interface ReplayAsked extends AuditOptions {
  readonly until?: string
  readonly to?: string
}

export interface ReplayListener {
  readonly progress: (events: number) => void
  /** What could not be put into the directory. */
  readonly left: (restored: Extract<Restored, { tag: 'left' }>) => void
}

/** One folder, and the place in the whole log up to which it is asked for; undefined: all of it. */
interface Moment {
  readonly audit: Audit
  readonly position: number
  readonly order: bigint | undefined
  readonly directory: string | undefined
}

/**
 * Replays the log into fresh tables in the data directory, which are removed afterwards. All of it is compared with the live tables row by row; of a
 * part, the folder's tree with what the live history says of that moment (I7).
 */
export const replay = async (settings: Settings, asked: ReplayAsked, listener: ReplayListener): Promise<Outcome<Replayed>> => {
  const config = fromConfig(gatewayConfig(settings))
  if (E.isLeft(config)) return config
  const { data } = config.right
  if (!existsSync(join(data, DATA_MARKER))) return fail('usage', `${data} is not a gateway's data directory: name it with --data`)
  process.umask(0o077)
  const files = dataFiles(realpathSync(data))
  await using parts = new AsyncDisposableStack()
  const moment = asked.to === undefined && asked.until === undefined ? E.right(undefined) : await openMoment(settings, asked, parts)
  if (E.isLeft(moment)) return moment
  const directory = mkdtempSync(join(files.path, 'replay-'))
  parts.defer(() => rmSync(directory, { recursive: true, force: true }))
  const started = performance.now()
  const until = moment.right?.order
  const projections = until === undefined ? (['state', 'follow'] as const) : (['follow'] as const)
  const at = (projection: ReplayFiles['projection']) =>
    runWorker({ ...filesOf(config.right, files, directory, projection), until }, listener.progress)
  const done: Done[] = []
  for (const replayed of await Promise.all(projections.map(at))) {
    if (E.isLeft(replayed)) return replayed
    done.push(replayed.right)
  }
  const compared = Object.fromEntries(projections.map((projection, index) => [projection, done[index]?.compared ?? NOTHING]))
  const events = Math.max(...done.map(({ events: number }) => number))
  const sums = () => ({ events, seconds: (performance.now() - started) / 1000, peakMemory: process.resourceUsage().maxRSS * 1024 })
  if (moment.right === undefined) return E.right({ ...sums(), projections: compared })
  const { position } = moment.right
  const folder = await inFolder(moment.right, join(directory, 'follow.db'), listener)
  return E.map(({ tree, materialised }: InFolder) => ({
    ...sums(),
    projections: tree === undefined ? compared : { follow: tree },
    folder: { position, ...(materialised === undefined ? {} : { materialised }) },
  }))(folder)
}

const NOTHING: Compared = { rows: {}, differences: [] }

const openMoment = async (
  settings: Settings,
  { until, to, ...options }: ReplayAsked,
  parts: AsyncDisposableStack,
): Promise<Outcome<Moment>> => {
  const opened = await openAudit(settings, options, () => undefined)
  if (E.isLeft(opened)) return opened
  const audit = parts.use(opened.right)
  const position = await audit.at(until)
  if (E.isLeft(position)) return position
  if (position.right < 0) return fail('failed', 'at that moment there was nothing in the folder yet')
  const directory = to === undefined ? E.right(undefined) : emptyDirectory(to, false)
  if (E.isLeft(directory)) return directory
  const moment = { audit, position: position.right, directory: directory.right }
  if (until === undefined) return E.right({ ...moment, order: undefined })
  const read = await audit.log.read(folderStream(audit.folder.folder), position.right, 1)()
  if (E.isLeft(read)) return fail('failed', `the log cannot be read: ${read.left.reason}`)
  const [event] = read.right
  return event === undefined
    ? fail('damaged', `the folder's event ${position.right} is not in the log: run 'eventsync audit verify'`)
    : E.right({ ...moment, order: event.position.order })
}

interface InFolder {
  readonly tree: Compared | undefined
  readonly materialised: Materialised | undefined
}

/** What the fresh tables say of the folder at that moment: beside the live ones, and on disk. */
const inFolder = async (
  { audit, position, order, directory }: Moment,
  file: string,
  { left }: ReplayListener,
): Promise<Outcome<InFolder>> => {
  using fresh = openDatabase(file, { synchronous: 'OFF', readOnly: true })
  const history = readHistory(fresh)
  const tree = order === undefined ? E.right(undefined) : await sameTree(audit, history, position)
  if (E.isLeft(tree)) return tree
  const materialised = directory === undefined ? E.right(undefined) : await materialise(audit, history, position, directory, left)
  return E.map((made: Materialised | undefined) => ({ tree: tree.right, materialised: made }))(materialised)
}

const filesOf = (config: GatewayConfig, files: DataFiles, directory: string, projection: ReplayFiles['projection']) => ({
  projection,
  log: files.log,
  remoteLog: config.log,
  objects: files.objects,
  store: config.store,
  live: projection === 'follow' ? files.projections : stateFile(config, files),
  fresh: join(directory, `${projection}.db`),
})

/** The embedded log's own file holds the state, too. */
const stateFile = ({ log }: GatewayConfig, files: DataFiles): string => (log.tag === 'sqlite' ? files.log : files.state)

type Done = Extract<FromReplay, { tag: 'done' }>

const runWorker = (files: ReplayFiles, progress: (events: number) => void): Promise<Outcome<Done>> =>
  new Promise((resolve) => {
    let ended: Outcome<Done> = fail('failed', 'the thread that replays the log ended')
    const worker = new Worker(workerUrl('./replay-worker', import.meta.url), { workerData: files })
    worker.on('message', (message: FromReplay) => {
      if (message.tag === 'progress') progress(message.events)
      if (message.tag === 'failed') ended = fail('damaged', `the log cannot be replayed: ${message.reason}`)
      if (message.tag === 'done') ended = E.right(message)
    })
    worker.once(
      'error',
      (error) => (ended = fail('failed', `the log cannot be replayed: ${error instanceof Error ? error.message : String(error)}`)),
    )
    worker.once('exit', () => resolve(ended))
  })
