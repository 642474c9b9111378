import * as E from 'fp-ts/lib/Either.js'
import type { FolderId } from '../../domain/events.ts'
import type { Answer } from '../../protocol/messages.ts'
import { folderStream } from '../../protocol/streams.ts'
import type { AppendFailure, Written } from '../append.ts'
import type { Core } from '../core.ts'
import { notifyAll } from '../notify.ts'
import { pagesAfter } from '../page.ts'
import { failed, refused } from '../refusals.ts'
import { contentsOf, decideBatch, type Batch } from './decide-batch.ts'
import type { Job } from './job.ts'
import { receiptsOf } from './receipts.ts'

/** Messages of one batch. */
const MAX_JOBS = 256
/** What a change weighs in memory against its text. */
const PARSED_WEIGHT = 4
/** Changes that one batch decides over: nothing else is answered meanwhile. */
const MAX_CHANGES = 4096
/** What one batch may weigh, and all that wait for a folder (I16). */
const MAX_BATCH_BYTES = 16 * 1024 * 1024
const MAX_WAITING_BYTES = 128 * 1024 * 1024

interface Waiting {
  readonly job: Job
  /** Of the changes, and of the contents that came inside. */
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

const bytesOf = ({ contents, canonical }: Job): number => {
  let bytes = 0
  for (const text of canonical) bytes += text.length * PARSED_WEIGHT
  for (const chunk of contents.values()) bytes += chunk.bytes.length
  return bytes
}

/** Messages of one sender count one after the other, so a batch has one of each. */
const take = (waiting: readonly Waiting[]): readonly Waiting[] => {
  const senders = new Set<string>()
  let total = 0
  let changes = 0
  const end = waiting.findIndex(({ job, bytes }, index) => {
    total += bytes
    changes += job.changes.length
    const sender = `${job.agent.key}${job.epoch}`
    const again = senders.has(sender)
    senders.add(sender)
    return again || index >= MAX_JOBS || (index > 0 && (total > MAX_BATCH_BYTES || changes > MAX_CHANGES))
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

const settle = async (
  core: Core,
  folder: FolderId,
  taken: readonly Waiting[],
  { result, events, before }: Written<Batch>,
): Promise<number> => {
  const jobs = taken.map(({ job }) => job)
  // First of all: others wait for it, and it costs less than the receipts.
  const last = events.at(-1)
  if (last !== undefined)
    notifyAll(core, folder, last.revision, {
      authors: new Set(jobs.map(({ agent }) => agent.key)),
      pages: pagesAfter(core, folder, before, last.revision, jobs),
    })
  const answers = await receiptsOf(core, folder, jobs, result.decided, events)
  answers.forEach((answer, index) => taken[index]?.resolve(answer))
  return answers.length
}
