import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { readOutside, type OutsideWord } from '../audit/outside.ts'
import type { Claim } from '../audit/verify/claims.ts'
import type { Fault } from '../audit/verify/fault.ts'
import { readResume, resumeText, type Resumed } from '../audit/verify/resume.ts'
import { verifyLog, type Progress, type Totals, type VerifyDeps } from '../audit/verify/verify.ts'
import { storedObjects } from '../blobstore/stored-objects.ts'
import { gatewayConfig, type GatewayConfig, type Settings } from '../config.ts'
import { DATA_MARKER } from '../domain/path.ts'
import type { LogScan } from '../eventlog/port.ts'
import { scanReader } from '../eventlog/scan-reader.ts'
import { openSqliteScan, type SqliteScan } from '../eventlog/sqlite-scan.ts'
import { systemClock } from '../lib/clock.ts'
import { saveFile } from '../lib/save-file.ts'
import { verifyAsync } from '../protocol/signing.ts'
import { dataFiles } from './data-directory.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import { gatewaySigner } from './gateway-signer.ts'
import { openObjectStore, storeTrouble } from './object-store.ts'
import { opening } from './open-database.ts'
import { segmentPages } from './segment-pages.ts'
import type { SegmentFiles } from './segment-worker.ts'

export { FAULT_KINDS } from '../audit/verify/fault.ts'
export type { Fault, FaultKind } from '../audit/verify/fault.ts'
export type { Progress, Totals } from '../audit/verify/verify.ts'

export interface VerifyOptions {
  /** Files of exported checkpoints, and of devices' witnesses. */
  readonly checkpoints: readonly string[]
  /** The gateway's public key, as it is known from elsewhere. */
  readonly gatewayKey: string | undefined
  /** Where to note how far it came, and to go on from. */
  readonly resume: string | undefined
  readonly contents: boolean
}

export interface VerifyListener {
  readonly fault: (fault: Fault) => void
  readonly progress: (progress: Progress) => void
}

/** What a person gave, read: words from outside, and how far an earlier run came. */
interface Given {
  readonly claims: readonly Claim[]
  readonly gatewayKey: string | undefined
  readonly resumed: Resumed | undefined
}

/** Verifies a gateway's log and what it says is stored, beside a running gateway or without one. A right may tell of faults. */
export const verifyData = async (settings: Settings, options: VerifyOptions, listener: VerifyListener): Promise<Outcome<Totals>> => {
  const config = fromConfig(gatewayConfig(settings))
  if (E.isLeft(config)) return config
  const given = readGiven(options)
  if (E.isLeft(given)) return given
  const { data } = config.right
  if (!existsSync(join(data, DATA_MARKER))) return fail('usage', `${data} is not a gateway's data directory: name it with --data`)
  const files = dataFiles(realpathSync(data))
  // Where it is at hand; the log's own checkpoints tell it otherwise.
  const own = gatewaySigner(files.path)
  const gatewayKey = given.right.gatewayKey ?? (E.isRight(own) ? own.right.publicKey : undefined)
  await using parts = new AsyncDisposableStack()
  const trusted = new Map(given.right.resumed?.heads.map(({ stream, revision }) => [stream, revision]))
  const scan = await openScan(config.right.log, { log: files.log, trusted }, parts)
  if (E.isLeft(scan)) return scan
  const store = await openObjectStore(config.right.store, files.objects)()
  if (E.isLeft(store)) return fail('failed', storeTrouble(config.right.store, files.objects, store.left))
  const { resume, contents } = options
  const verified = await verifyLog({
    ...given.right,
    gatewayKey,
    contents,
    ...scan.right,
    objects: storedObjects(parts.use(store.right), config.right.store.tag === 'folder' ? 'byDirectory' : 'atOnce'),
    verifySignature: verifyAsync,
    report: listener.fault,
    progress: listener.progress,
    save: (resumed) => (resume === undefined ? undefined : saveFile(resume, resumeText(resumed))),
  })
  return E.isLeft(verified) ? fail('failed', `the log cannot be read: ${verified.left.reason}`) : verified
}

const openScan = async (
  config: GatewayConfig['log'],
  files: SegmentFiles,
  parts: AsyncDisposableStack,
): Promise<Outcome<Pick<VerifyDeps, 'scan' | 'pages'>>> => {
  if (config.tag === 'sqlite')
    return E.map((scan: SqliteScan) => ({ scan, pages: segmentPages(scan, files) }))(
      opening(files.log, () => parts.use(openSqliteScan(files.log))),
    )
  const { openEventStoreLog } = await import('../eventlog/eventstoredb/log.ts')
  return E.map((scan: LogScan) => ({ scan }))(
    opening('the event log', () => parts.use(scanReader(openEventStoreLog({ address: config, sleep: systemClock.sleep })))),
  )
}

export const readGiven = ({ checkpoints, gatewayKey, resume }: VerifyOptions): Outcome<Given> => {
  const claims: Claim[] = []
  let key = gatewayKey
  for (const file of checkpoints) {
    const word = E.Monad.chain(readText(file), (text): Outcome<OutsideWord> => {
      const read = readOutside(text, file)
      return E.isRight(read) ? read : fail('failed', `${file} is no checkpoint or witness that can be believed: ${read.left}`)
    })
    if (E.isLeft(word)) return word
    key ??= word.right.gatewayKey
    if (word.right.gatewayKey !== key)
      return fail('failed', `${file} is of another gateway, or its key is not the one given: give the words on one gateway at a time`)
    claims.push(...word.right.claims)
  }
  if (resume === undefined || !existsSync(resume)) return E.right({ claims, gatewayKey: key, resumed: undefined })
  const text = readText(resume)
  if (E.isLeft(text)) return text
  const resumed = readResume(text.right)
  return resumed === undefined
    ? fail('usage', `${resume} is not what an earlier run has left: name another file, or remove it`)
    : E.right({ claims, gatewayKey: key, resumed })
}

const readText = (file: string): Outcome<string> =>
  E.tryCatch(
    () => readFileSync(file, 'utf8'),
    (error) => ({ kind: 'usage', reason: `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}` }),
  )
