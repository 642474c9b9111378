import * as E from 'fp-ts/lib/Either.js'
import type { Contents } from '../audit/contents.ts'
import { readNameBook, type NameBook } from '../audit/names.ts'
import { deviceConfig, gatewayConfig, type Environment, type Settings } from '../config.ts'
import type { HistoryEvent, HistoryReads, NamedFolder } from '../projections/history/port.ts'
import type { StreamReader } from '../eventlog/port.ts'
import { systemClock } from '../lib/clock.ts'
import { parseWhen } from '../lib/when.ts'
import { folderStream } from '../protocol/streams.ts'
import type { AuditSource, Progress } from './audit-source.ts'
import { fail, fromConfig, type Failure, type Outcome } from './failure.ts'
import { fromHistory } from './from-history.ts'

export type { HistoryEvent, NameBook }

/** One folder, ready to be asked about. */
export interface Audit extends AsyncDisposable {
  readonly folder: NamedFolder
  /** The last revision that is asked about. */
  readonly head: number
  readonly names: NameBook
  readonly log: StreamReader
  readonly history: HistoryReads
  readonly contents: Contents
  /** The gateway's signed word on where the folder's log stands, as a page; absent where its key is at hand. */
  readonly checkpoint?: () => Promise<Outcome<string>>
  /** Whether all streams can be read: a device reads its own account's alone. */
  readonly whole: boolean
  /** The revision at a moment that a person names; `head` where none is named. */
  readonly at: (moment: string | undefined) => Promise<Outcome<number>>
}

export interface AuditOptions {
  /** Where a device's state lies by default hangs on it. */
  readonly env: Environment
  readonly folder?: string
}

const INDEX_WAIT_MS = 30_000
const INDEX_POLL_MS = 20

/** What the settings name: a gateway's data, or this device's gateway. */
const openSource = async (settings: Settings, { folder, env }: AuditOptions, progress: Progress): Promise<Outcome<AuditSource>> => {
  if (settings.has('data')) {
    const { openDataSource } = await import('./audit-source.ts')
    const config = fromConfig(gatewayConfig(settings))
    return E.isLeft(config) ? config : openDataSource(config.right, progress)
  }
  const device = fromConfig(deviceConfig(settings, env))
  if (E.isLeft(device)) return device
  const { openDeviceSource } = await import('./audit-device.ts')
  const opened = await openDeviceSource(device.right.state, folder)
  return E.mapLeft((failure: Failure) =>
    failure.kind === 'usage'
      ? { ...failure, reason: `${failure.reason} (on the gateway's side, name its data directory with --data)` }
      : failure,
  )(opened)
}

/** Opens one folder of what the settings name. */
export const openAudit = async (settings: Settings, options: AuditOptions, progress: Progress): Promise<Outcome<Audit>> => {
  const opened = await openSource(settings, options, progress)
  if (E.isLeft(opened)) return opened
  await using parts = new AsyncDisposableStack()
  const { log, history, names, contents, checkpoint } = parts.use(opened.right)
  const book = fromHistory(await readNameBook(names))
  if (E.isLeft(book)) return book
  const found = book.right.findFolder(options.folder)
  if (E.isLeft(found)) return fail('usage', found.left)
  const head = await headOf(log, history, found.right)
  if (E.isLeft(head)) return head
  const all = parts.move()
  return E.right({
    folder: found.right,
    head: head.right,
    names: book.right,
    log,
    history,
    contents,
    ...(checkpoint === undefined ? {} : { checkpoint: () => checkpoint(found.right.folder) }),
    whole: settings.has('data'),
    at: (moment) => revisionAt(history, found.right, head.right, moment),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  })
}

/** The folder's last revision, once the index has it: a running gateway's thread may be a moment behind. */
const headOf = async (log: StreamReader, history: HistoryReads, { folder }: NamedFolder): Promise<Outcome<number>> => {
  // Whoever may not read the folder is told so by this one.
  const allowed = fromHistory(await history.head(folder)())
  if (E.isLeft(allowed)) return allowed
  const last = await log.last(folderStream(folder))()
  if (E.isLeft(last)) return fail('failed', last.left.reason)
  const wanted = last.right?.revision ?? -1
  const deadline = systemClock.monotonic() + INDEX_WAIT_MS
  for (;;) {
    const head = fromHistory(await history.head(folder)())
    if (E.isLeft(head)) return head
    if (head.right >= wanted) return E.right(head.right)
    if (systemClock.monotonic() > deadline)
      return fail('failed', `the history index is at ${head.right} of ${wanted}: the gateway is still filling it; try again later`)
    await systemClock.sleep(INDEX_POLL_MS)
  }
}

const revisionAt = async (
  history: HistoryReads,
  { folder }: NamedFolder,
  head: number,
  moment: string | undefined,
): Promise<Outcome<number>> => {
  if (moment === undefined) return E.right(head)
  const when = parseWhen(moment, systemClock.wall())
  if (E.isLeft(when)) return fail('usage', when.left)
  if (when.right.tag === 'position') return E.right(Math.min(when.right.position, head))
  return E.map((revision: number) => Math.min(revision, head))(fromHistory(await history.revisionAt(folder, when.right.time)()))
}
