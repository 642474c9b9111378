import type { Change } from '../../domain/change.ts'
import type { Chunk, Content, Hash } from '../../domain/content.ts'
import { chunksMatch } from '../../protocol/manifest.ts'
import type { Job } from './job.ts'

/** What a change's content still needs, or why it can never be. */
export type Needs =
  /** `named`: what must be stored before the event (I6), as far as it came inside the message. */
  | { readonly tag: 'chunks'; readonly missing: readonly Hash[]; readonly named: readonly Hash[] }
  | { readonly tag: 'wrong'; readonly reason: string }

const NOTHING: Needs = { tag: 'chunks', missing: [], named: [] }

export const contentOf = (change: Change): Content | undefined => ('content' in change ? change.content : undefined)

/** The size of a stored chunk that the sender may name. */
type SizeOf = (hash: Hash) => number | undefined

export const needsOf = (change: Change, job: Job, sizeOf: SizeOf): Needs => {
  const content = contentOf(change)
  if (content === undefined) return NOTHING
  const { manifest } = content
  if (manifest.tag === 'chunks') return chunkNeeds(manifest.chunks, job, sizeOf)
  const opened = job.manifests.get(manifest.hash)
  if (opened === undefined && job.contents.has(manifest.hash)) return { tag: 'wrong', reason: 'the manifest object is not of its form' }
  if (opened === undefined) return { tag: 'chunks', missing: [manifest.hash], named: [] }
  if (!chunksMatch(content, opened.chunks)) return { tag: 'wrong', reason: 'the manifest does not make this content' }
  return chunkNeeds([manifest, ...opened.chunks], job, sizeOf)
}

/** No event may say another size of a chunk than it has (I6): whoever read it so would never get it whole. */
const chunkNeeds = (chunks: readonly Chunk[], { contents }: Job, sizeOf: SizeOf): Needs => {
  const missing: Hash[] = []
  const named: Hash[] = []
  for (const { hash, size } of chunks) {
    const inside = contents.get(hash)
    const stored = inside === undefined ? sizeOf(hash) : inside.bytes.length
    if (stored === undefined) missing.push(hash)
    else if (stored !== size) return { tag: 'wrong', reason: 'a chunk has another size than the change says' }
    else if (inside !== undefined) named.push(hash)
  }
  return { tag: 'chunks', missing, named }
}
