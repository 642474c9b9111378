import { either as E } from 'fp-ts'
import type { NewChunk } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import { overlay, type Overlay } from '../../domain/decide/overlay.ts'
import type { TreeView } from '../../domain/decide/view.ts'
import type { FolderId } from '../../domain/events.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { folderStream } from '../../protocol/streams.ts'
import { fileIdOf } from '../../protocol/event-ids.ts'
import type { Answer } from '../../protocol/messages.ts'
import type { AppendFailure, Draft, Written } from '../append.ts'
import type { Core } from '../core.ts'
import { failed, refused } from '../refusals.ts'
import { decideJob } from './decide-job.ts'
import type { Job } from './job.ts'
import { answerBefore, type Decided } from './once.ts'
import { receiptsOf } from './receipts.ts'

interface Batch {
  readonly drafts: readonly Draft[]
  /** One for each job, in order; those after the batch was full are not decided. */
  readonly decided: readonly Decided[]
}

/** Bytes of one append's events, safely below what a log takes. */
const MAX_APPEND_BYTES = 1_000_000
const MAX_JOBS = 256
/** Contents that one batch stores together, and that may wait for a folder in all (I16). */
const MAX_BATCH_BYTES = 16 * 1024 * 1024
const MAX_WAITING_BYTES = 128 * 1024 * 1024

interface Waiting {
  readonly job: Job
  /** Of the contents that came inside. */
  readonly bytes: number
  readonly resolve: (answer: Answer) => void
}

/**
 * Writes one folder's stream. While one append runs the next batch gathers; the messages of a batch are decided one over the other, their chunks are
 * stored together, and their events are one append (I6: chunks, then events, then answers).
 */
export interface FolderWriter {
  submit(job: Job): Promise<Answer>
  readonly isIdle: () => boolean
}

export const createFolderWriter = (core: Core, folder: FolderId): FolderWriter => {
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let running = false
  const run = async (): Promise<void> => {
    running = true
    while (waiting.length > 0) {
      await core.turn()
      const taken = take(waiting)
      const done = await guarded(core, folder, taken)
      for (const { bytes } of taken.slice(0, done)) waitingBytes -= bytes
      waiting = [...taken.slice(done), ...waiting.slice(taken.length)]
    }
    running = false
  }
  return {
    isIdle: () => !running,
    submit: (job) => {
      if (waiting.length >= core.settings.limits.queue || waitingBytes > MAX_WAITING_BYTES)
        return Promise.resolve(refused(503, 'busy', 'too many messages wait for this folder: try again'))
      return new Promise((resolve) => {
        const bytes = bytesOf(job)
        waitingBytes += bytes
        waiting.push({ job, bytes, resolve })
        if (!running) void run()
      })
    },
  }
}

const bytesOf = ({ contents }: Job): number => {
  let bytes = 0
  for (const chunk of contents.values()) bytes += chunk.bytes.length
  return bytes
}

/** Messages of one sender count one after the other, so a batch has one of each. */
const take = (waiting: readonly Waiting[]): readonly Waiting[] => {
  const senders = new Set<string>()
  let total = 0
  const end = waiting.findIndex(({ job, bytes }, index) => {
    total += bytes
    const sender = `${job.agent.key}${job.epoch}`
    const again = senders.has(sender)
    senders.add(sender)
    return again || index >= MAX_JOBS || (index > 0 && total > MAX_BATCH_BYTES)
  })
  return end < 0 ? waiting.slice() : waiting.slice(0, end)
}

/** A throw is a bug, and must not stop the folder. */
const guarded = async (core: Core, folder: FolderId, taken: readonly Waiting[]): Promise<number> => {
  try {
    return await writeBatch(core, folder, taken)
  } catch (error) {
    core.logger.error('a batch failed', { folder, error: error instanceof Error ? error.stack : String(error) })
    for (const { resolve } of taken) resolve(failed({ tag: 'Fault' }))
    return taken.length
  }
}

/** Returns how many of the jobs, from the first on, have their answer. */
const writeBatch = async (core: Core, folder: FolderId, taken: readonly Waiting[]): Promise<number> => {
  await core.followed.room()
  const started = core.clock.monotonic()
  const jobs = taken.map(({ job }) => job)
  const written = await core.appender.append<AppendFailure | { readonly tag: 'NotFound' | 'Damaged' }, Batch>(
    folderStream(folder),
    async () => {
      const batch = decideBatch(core, folder, jobs)
      const stored = await core.chunks.store(contentsOf(jobs, batch.decided))
      return E.isLeft(stored) ? stored : E.right({ drafts: batch.drafts, result: batch })
    },
  )
  if (E.isLeft(written)) {
    if (written.left.tag !== 'Unavailable') core.logger.error('a folder could not be written', { folder, ...written.left })
    for (const { resolve } of taken) resolve(failed(written.left))
    return taken.length
  }
  const { events } = written.right
  if (events.length > 0) core.metrics.commit(taken.length, events.length, (core.clock.monotonic() - started) / 1000)
  return settle(core, folder, taken, written.right)
}

const settle = async (core: Core, folder: FolderId, taken: readonly Waiting[], { result, events }: Written<Batch>): Promise<number> => {
  const answers = await receiptsOf(
    core,
    folder,
    taken.map(({ job }) => job),
    result.decided,
    events,
  )
  answers.forEach((answer, index) => taken[index]?.resolve(answer))
  notifyAll(core, folder, events)
  return answers.length
}

const decideBatch = (core: Core, folder: FolderId, jobs: readonly Job[]): Batch => {
  const view = overlay(treeView(core, folder))
  const time = core.clock.wall()
  const drafts: Draft[] = []
  const decided: Decided[] = []
  let bytes = 0
  for (const job of jobs) {
    const mark = view.mark()
    const decision = decideOne(core, folder, job, view, time)
    const size = decision.tag === 'append' ? sizeOf(decision.drafts) : 0
    if (bytes + size > MAX_APPEND_BYTES) {
      view.rewind(mark)
      if (decided.length > 0) break
      decided.push({
        tag: 'answer',
        answer: refused(413, 'tooLarge', 'the changes make more events than one append holds: send fewer at once'),
      })
      continue
    }
    bytes += size
    decided.push(decision)
    if (decision.tag === 'append') drafts.push(...decision.drafts)
  }
  return { drafts, decided }
}

const decideOne = (core: Core, folder: FolderId, job: Job, view: Overlay, time: number): Decided => {
  const agent = core.state.directory.agent(job.agent.key)
  if (agent === undefined || agent.revoked) return { tag: 'answer', answer: refused(403, 'revoked', 'the agent has been revoked') }
  const before = answerBefore(core, folder, job)
  if (before !== undefined) return before
  return decideJob(job, { folder, view, time, sizeOf: (hash) => core.present.size(agent.account, folder, hash) })
}

const sizeOf = (drafts: readonly Draft[]): number =>
  drafts.reduce((sum, { data, metadata }) => sum + Buffer.byteLength(data) + Buffer.byteLength(metadata), 0)

const contentsOf = (jobs: readonly Job[], decided: readonly Decided[]): readonly NewChunk[] => {
  const named = new Map<Hash, NewChunk>()
  decided.forEach((decision, index) => {
    if (decision.tag !== 'append') return
    for (const hash of decision.named) {
      const chunk = jobs[index]?.contents.get(hash)
      if (chunk !== undefined) named.set(hash, chunk)
    }
  })
  return [...named.values()]
}

const treeView = ({ state, followed }: Core, folder: FolderId): TreeView => {
  const tree = state.tree(folder)
  return {
    next: (state.head(folderStream(folder))?.revision ?? -1) + 1,
    get: (path) => tree.get(path),
    live: (fileId) => tree.live(fileId),
    hasLiveUnder: (path, gone) => tree.hasLiveUnder(path, gone),
    versionAt: (revision) => followed.versionAt(folder, revision),
    held: (path, since, { kind, hash }) => followed.held(folder, path, since === 'none' ? -1 : since, { kind, hash }),
    newFileId: (revision) => fileIdOf(folder, revision),
  }
}

/** Everybody learns that the folder has grown, its author too: a device may keep it in several places, each over a connection of its own. */
const notifyAll = (core: Core, folder: FolderId, events: readonly RecordedEvent[]): void => {
  const last = events.at(-1)
  const account = core.state.directory.folder(folder)?.account
  if (last === undefined || account === undefined) return
  const agents = core.state.directory.agentsOf(account).filter(({ revoked }) => !revoked)
  core.notifier.notify(
    agents.map(({ key }) => key),
    { folder, position: last.revision },
  )
}
