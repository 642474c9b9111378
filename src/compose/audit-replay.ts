import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { gatewayConfig, type GatewayConfig, type Settings } from '../config.ts'
import { DATA_MARKER } from '../domain/path.ts'
import { workerUrl } from '../lib/worker-url.ts'
import type { Compared } from '../projections/compare.ts'
import { dataFiles, type DataFiles } from './data-directory.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import type { FromReplay, ReplayFiles } from './replay-worker.ts'

/** All projections made anew from the log's first event, and what they are beside the live ones. */
export interface Replayed {
  readonly events: number
  readonly seconds: number
  /** Of this process, at its highest. */
  readonly peakMemory: number
  readonly projections: Readonly<Record<'state' | 'follow', Compared>>
}

/** Replays the whole log into fresh tables in the data directory, which are removed afterwards, and compares them with the live ones row by row. */
export const replay = async (settings: Settings, progress: (events: number) => void): Promise<Outcome<Replayed>> => {
  const config = fromConfig(gatewayConfig(settings))
  if (E.isLeft(config)) return config
  const { data } = config.right
  if (!existsSync(join(data, DATA_MARKER))) return fail('usage', `${data} is not a gateway's data directory: name it with --data`)
  process.umask(0o077)
  const files = dataFiles(realpathSync(data))
  await using parts = new AsyncDisposableStack()
  const directory = mkdtempSync(join(files.path, 'replay-'))
  parts.defer(() => rmSync(directory, { recursive: true, force: true }))
  const started = performance.now()
  const at = (projection: ReplayFiles['projection']) => runWorker(filesOf(config.right, files, directory, projection), progress)
  const [state, follow] = await Promise.all([at('state'), at('follow')])
  if (E.isLeft(state)) return state
  if (E.isLeft(follow)) return follow
  return E.right({
    events: Math.max(state.right.events, follow.right.events),
    seconds: (performance.now() - started) / 1000,
    peakMemory: process.resourceUsage().maxRSS * 1024,
    projections: { state: state.right.compared, follow: follow.right.compared },
  })
}

const filesOf = (config: GatewayConfig, files: DataFiles, directory: string, projection: ReplayFiles['projection']): ReplayFiles => ({
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
