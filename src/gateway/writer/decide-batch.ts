import type { NewChunk } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import { overlay, type Overlay } from '../../domain/decide/overlay.ts'
import type { TreeView } from '../../domain/decide/view.ts'
import type { FolderId } from '../../domain/events.ts'
import { fileIdOf } from '../../protocol/event-ids.ts'
import { folderStream } from '../../protocol/streams.ts'
import type { Draft } from '../append.ts'
import type { Core } from '../core.ts'
import { refused } from '../refusals.ts'
import { decideJob } from './decide-job.ts'
import type { Job } from './job.ts'
import { answerBefore, type Decided } from './once.ts'

/** What becomes of messages that are decided one over the other. */
export interface Batch {
  readonly drafts: readonly Draft[]
  /** One for each job, in order; those after the batch was full are not decided. */
  readonly decided: readonly Decided[]
}

/** Bytes of one append's events, safely below what a log takes. */
const MAX_APPEND_BYTES = 1_000_000
/** What a log may keep of an event beside its data and metadata: its type, its chain, signs that escape others. */
const EVENT_BYTES = 256

export const decideBatch = (core: Core, folder: FolderId, jobs: readonly Job[]): Batch =>
  core.state.together(() => core.followed.together(() => decideAll(core, folder, jobs)))

const decideAll = (core: Core, folder: FolderId, jobs: readonly Job[]): Batch => {
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
  drafts.reduce((sum, { data, metadata }) => sum + EVENT_BYTES + Buffer.byteLength(data) + Buffer.byteLength(metadata), 0)

/** The chunks that came inside the messages and that their events name. */
export const contentsOf = (jobs: readonly Job[], decided: readonly Decided[]): readonly NewChunk[] => {
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
