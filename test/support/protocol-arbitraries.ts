import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import type { Base, Change } from '../../src/domain/change.ts'
import { directoryContent, type Chunk, type Content, type Hash } from '../../src/domain/content.ts'
import type { AccountId, AgentKey, FileId, FolderId } from '../../src/domain/events.ts'
import { parsePath, type SyncPath } from '../../src/domain/path.ts'
import { contentHash } from '../../src/protocol/merkle.ts'
import type { Head, Outcome, RemoteEntry } from '../../src/protocol/messages.ts'

const hexText = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length })

// Each of these has the form of its type by construction.
export const hashes = hexText(64) as fc.Arbitrary<Hash>
export const folders = hexText(32) as fc.Arbitrary<FolderId>
export const accounts = hexText(32) as fc.Arbitrary<AccountId>
export const fileIds = hexText(32) as fc.Arbitrary<FileId>
export const agentKeys = hexText(32).map((text) => text.toUpperCase() as AgentKey)
export const epochs = hexText(16)

export const paths: fc.Arbitrary<SyncPath> = fc
  .array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 })
  .map((names) => parsePath(names.join('/')))
  .filter(E.isRight)
  .map((path) => path.right)

export const revisions = fc.nat({ max: 2 ** 40 })
export const chunks: fc.Arbitrary<Chunk> = fc.record({ hash: hashes, size: fc.integer({ min: 1, max: 4 * 1024 * 1024 }) })
const modified = fc.bigInt({ min: -(10n ** 20n - 1n), max: 10n ** 20n - 1n }).map(String)

const inPlace = (kind: 'file' | 'symlink', list: readonly Chunk[], executable: boolean, time: string): Content => ({
  kind,
  size: list.reduce((sum, chunk) => sum + chunk.size, 0),
  hash: contentHash(list),
  manifest: { tag: 'chunks', chunks: list },
  executable,
  modified: time,
})

const files = fc.tuple(fc.array(chunks, { maxLength: 32 }), fc.boolean(), modified).map(([list, x, time]) => inPlace('file', list, x, time))
const symlinks = fc
  .tuple(hashes, fc.integer({ min: 1, max: 4096 }), modified)
  .map(([hash, size, time]) => inPlace('symlink', [{ hash, size }], false, time))
const largeFiles: fc.Arbitrary<Content> = fc
  .record({ hash: hashes, object: hashes, count: fc.integer({ min: 33, max: 10_000 }), executable: fc.boolean(), modified })
  .map(({ hash, object, count, executable, modified: time }) => ({
    kind: 'file',
    size: count * 1024 * 1024,
    hash,
    manifest: { tag: 'object', hash: object, size: count * 36 },
    executable,
    modified: time,
  }))

export const contents: fc.Arbitrary<Content> = fc.oneof(files, symlinks, largeFiles, modified.map(directoryContent))
const bases: fc.Arbitrary<Base> = fc.oneof(revisions, fc.constantFrom<Base>('none', 'any'))
export const words = fc.stringMatching(/^[ -~]{1,60}$/).filter((text) => text.trim() !== '')

export const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ tag: fc.constantFrom('create' as const, 'update' as const), path: paths, content: contents, base: bases }),
  fc
    .record({ tag: fc.constant('move' as const), from: paths, path: paths, content: contents, base: bases })
    .filter((move) => move.from !== move.path),
  fc.record({ tag: fc.constant('delete' as const), path: paths, base: bases }),
  fc.record({ tag: fc.constant('hold' as const), count: fc.nat(), reason: words }),
  fc.record({ tag: fc.constant('approve' as const), count: fc.nat() }),
)

export const entries: fc.Arbitrary<RemoteEntry> = fc.record({
  path: paths,
  version: revisions,
  fileId: fileIds,
  content: fc.option(contents, { nil: undefined }),
})

export const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ status: fc.constant(200 as const), revision: revisions, path: fc.option(paths, { nil: undefined }) }),
  fc.record({
    status: fc.constantFrom(400 as const, 403 as const, 404 as const, 409 as const, 413 as const, 423 as const),
    code: fc.constantFrom('format' as const, 'stale' as const, 'tree' as const),
    reason: words,
    present: fc.option(entries, { nil: undefined }),
  }),
)

export const chains = fc.oneof(hashes, fc.constant('' as const))

/** What a sender says in a head, before root and count follow from its changes. */
export const batchHeads = (agent: AgentKey): fc.Arbitrary<Omit<Head, 'root' | 'count'>> =>
  fc.record({
    version: fc.constant(1 as const),
    folder: folders,
    agent: fc.constant(agent),
    epoch: epochs,
    number: revisions,
    previous: chains,
    position: fc.integer({ min: -1, max: 2 ** 40 }),
    chain: chains,
  })

/** What a SignInsRefused says beside whose they were. */
export const refusals = {
  count: fc.integer({ min: 1 }),
  first: fc.nat(),
  last: fc.nat(),
  reasons: fc.dictionary(fc.constantFrom('password', 'signature', 'tooMany'), fc.integer({ min: 1 }), { noNullPrototype: true }),
  addresses: fc.array(words, { maxLength: 8 }),
  tried: fc.array(fc.oneof(agentKeys, accounts), { maxLength: 8 }),
}
