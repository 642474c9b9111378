import type { NewChunk } from '../../blobstore/port.ts'
import type { Chunk, Hash } from '../../domain/content.ts'
import { leafHash, merkleRoot } from '../../protocol/merkle.ts'
import { sha256 } from '../../protocol/hash.ts'
import type { SignedBatch } from '../../protocol/messages.ts'
import { headText } from '../../protocol/signing.ts'
import type { Agent } from '../../projections/port.ts'
import type { Core } from '../core.ts'
import type { OpenManifest } from '../manifests.ts'
import { refused, type Refused } from '../refusals.ts'
import type { Job } from '../writer/job.ts'
import { contentOf } from '../writer/needs.ts'
import { isRefused, noFolder, reply, type Context, type Reply, type Signed } from './context.ts'

/** A signed message of changes: checked here, decided and appended by its folder's writer. */
export const changes = async (context: Context, { request: { batch }, agent, payload }: Signed<'Changes'>): Promise<Reply> => {
  const { head } = batch
  const foreign = noFolder(context, agent, head.folder)
  if (foreign !== undefined) return reply(foreign)
  const contents = takeContents(batch.contents, payload)
  if (isRefused(contents)) return reply(contents)
  const leaves = batch.canonical.map(leafHash)
  if (!(await isSigned(context, batch, agent, leaves)))
    return reply(refused(403, 'signature', "the signature is not the enrolled key's over this message"))
  const link = await wrongLink(context, batch, agent, contents)
  if (link !== undefined) return reply(link)
  const job: Job = {
    agent,
    changes: batch.changes,
    canonical: batch.canonical,
    leaves,
    epoch: head.epoch,
    number: head.number,
    signed: { head, signature: batch.signature },
    clientTime: batch.timestamp,
    contents,
    manifests: await openManifests(context, batch, agent, contents),
  }
  return reply(await context.writer(head.folder).submit(job))
}

const isSigned = async ({ core }: Context, { head, signature }: SignedBatch, agent: Agent, leaves: readonly Hash[]): Promise<boolean> =>
  head.agent === agent.key &&
  head.count === leaves.length &&
  head.root === merkleRoot(leaves) &&
  agent.publicKey !== null &&
  (await core.verify(agent.publicKey, headText(head), signature))

/** A link text is bytes without a NUL: no system could make a link of another. It came inside the message, or is one that the sender may name. */
const wrongLink = async (
  { core }: Context,
  { head, changes: all }: SignedBatch,
  agent: Agent,
  contents: ReadonlyMap<Hash, NewChunk>,
): Promise<Refused | undefined> => {
  for (const [index, change] of all.entries()) {
    const content = contentOf(change)
    if (content?.kind !== 'symlink') continue
    const inside = contents.get(content.hash)?.bytes
    const known = inside === undefined && core.present.size(agent.account, head.folder, content.hash) !== undefined
    const stored = known ? await core.chunks.read(content.hash) : undefined
    const text = inside ?? (stored?._tag === 'Right' ? stored.right : undefined)
    if (text?.includes(0) === true) return refused(400, 'format', `Changes[${index}].File.Chunks must be a link's text without a NUL`)
  }
  return undefined
}

/** Cuts a payload into the chunks that it is said to be, each checked against its hash. */
export const takeContents = (named: readonly Chunk[], payload: Uint8Array): ReadonlyMap<Hash, NewChunk> | Refused => {
  const chunks = cut(named, payload)
  if (isRefused(chunks)) return chunks
  const contents = new Map<Hash, NewChunk>()
  for (const chunk of chunks) {
    if (sha256(chunk.bytes) !== chunk.hash) return refused(400, 'hash', 'Contents: the bytes do not match their hash')
    contents.set(chunk.hash, { ...chunk, checked: true })
  }
  return contents
}

/** Cuts a payload into the chunks that it is said to be. */
export const cut = (named: readonly Chunk[], payload: Uint8Array): readonly NewChunk[] | Refused => {
  const chunks: NewChunk[] = []
  let at = 0
  for (const { hash, size } of named) {
    chunks.push({ hash, bytes: payload.subarray(at, at + size) })
    at += size
  }
  return at === payload.length ? chunks : refused(400, 'format', 'Contents must be as long together as the bytes that came')
}

/** Reads the manifests that the changes name, where the sender may name them: it must have sent them before their chunks. */
const openManifests = async (
  { core }: Context,
  { head, changes: all }: SignedBatch,
  agent: Agent,
  contents: ReadonlyMap<Hash, NewChunk>,
): Promise<ReadonlyMap<Hash, OpenManifest>> => {
  const opened = new Map<Hash, OpenManifest>()
  for (const change of all) {
    const manifest = contentOf(change)?.manifest
    if (manifest?.tag !== 'object' || opened.has(manifest.hash)) continue
    const mayRead = () => core.present.size(agent.account, head.folder, manifest.hash) !== undefined
    const open = await openManifest(core, manifest.hash, contents.get(manifest.hash), mayRead)
    if (open !== undefined) opened.set(manifest.hash, open)
  }
  return opened
}

const openManifest = async (
  { manifests }: Core,
  hash: Hash,
  inside: NewChunk | undefined,
  mayRead: () => boolean,
): Promise<OpenManifest | undefined> => {
  if (inside !== undefined) return manifests.take(hash, inside.bytes)
  return mayRead() ? manifests.load(hash) : undefined
}
