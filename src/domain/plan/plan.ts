import { sameBytes, sameContent, sameMetadata } from '../content.ts'
import type { Revision } from '../change.ts'
import { type BaseState, type Intent, type LocalState, type RemoteState, type Trees, UNKNOWN_REVISION } from './trees.ts'

const NONE: Intent = { tag: 'none' }

/**
 * The three-way reconciliation of one path: what the disk holds, what was last in sync, what the log says. Pure and total; the
 * order of steps across paths (parents, moves) is the engine's.
 *
 * A path without a recorded base is never a deletion. A deletion never beats an edit (I4), same bytes never make a conflict (I13), and
 * where both sides changed the gateway is asked first, since it knows every version and may say that the local content is none of
 * this device's making.
 */
export const plan = ({ local, base, remote }: Trees): Intent => {
  const remoteContent = remote?.content
  if (local === undefined) return planAbsent(base, remote)
  if (remote === undefined || remoteContent === undefined) return planRemoteAbsent(local, base, remote?.before)
  const version = { revision: remote.revision, content: remoteContent }
  if (sameBytes(local.content, remoteContent)) return planSameBytes(local, base, version)
  return planDifferent(local, base, version)
}

const planAbsent = (base: BaseState | undefined, remote: RemoteState | undefined): Intent => {
  if (remote?.content === undefined) return base === undefined ? NONE : { tag: 'forget' }
  if (base !== undefined && base.revision === remote.revision) return { tag: 'publishDeletion', base: base.revision }
  return { tag: 'put', version: { revision: remote.revision, content: remote.content } }
}

const planRemoteAbsent = (local: LocalState, base: BaseState | undefined, before: BaseState | undefined): Intent => {
  const arrived = base ?? before
  if (arrived !== undefined && sameBytes(local.content, arrived.content)) return { tag: 'remove' }
  return publish(local, base?.revision)
}

/** An older version of the path, which the gateway knows and this device does not ({@link UNKNOWN_REVISION}), is no base that could be named. */
const publish = ({ content }: LocalState, base: Revision | undefined): Intent =>
  base === undefined || base === UNKNOWN_REVISION
    ? { tag: 'publish', action: 'create', content, base: 'none' }
    : { tag: 'publish', action: 'update', content, base }

const planSameBytes = (local: LocalState, base: BaseState | undefined, version: BaseState): Intent => {
  const known = base !== undefined && base.revision === version.revision
  if (sameMetadata(local.content, version.content))
    return known && sameContent(base.content, version.content) ? NONE : { tag: 'adopt', version }
  if (!known) return { tag: 'touch', version }
  return local.refused === undefined ? publish(local, base.revision) : { tag: 'touch', version }
}

const planDifferent = (local: LocalState, base: BaseState | undefined, version: BaseState): Intent => {
  const remoteMoved = base === undefined || base.revision !== version.revision
  if (remoteMoved && base !== undefined && sameBytes(local.content, base.content)) return { tag: 'put', version }
  if (local.refused !== undefined) return { tag: 'conflict', content: local.content }
  // Only the metadata moved on: the edit was made on these bytes.
  const onto = base !== undefined && sameBytes(base.content, version.content) ? version.revision : base?.revision
  return publish(local, onto)
}
