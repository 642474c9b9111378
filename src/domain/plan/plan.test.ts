import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_HASH, NO_CHUNKS, sameBytes, sameContent, type Content, type Hash } from '../content.ts'
import { plan } from './plan.ts'
import { UNKNOWN_REVISION, type BaseState, type Intent, type LocalState, type RemoteState, type Trees } from './trees.ts'

// Hashes of the right form: plan compares them, nothing more.
const hashOf = (letter: string): Hash => letter.repeat(64) as Hash
const file = (letter: string, modified = '1000000', executable = false): Content => ({
  kind: 'file',
  size: 1,
  hash: hashOf(letter),
  manifest: { tag: 'chunks', chunks: [{ hash: hashOf(letter), size: 1 }] },
  executable,
  modified,
})
const folder: Content = { kind: 'directory', size: 0, hash: EMPTY_HASH, manifest: NO_CHUNKS, executable: false, modified: '1' }
const empty: Content = { ...folder, kind: 'file', modified: '1000000' }

const A = file('a')
const B = file('b')
const C = file('c')
const touchedA = file('a', '9000000')
const runnableA = file('a', '1000000', true)
const linkA: Content = { ...A, kind: 'symlink' }
const touchedLinkA: Content = { ...touchedA, kind: 'symlink' }

const local = (content: Content, refused?: number): LocalState => ({ content, ...(refused === undefined ? {} : { refused }) })
const at = (revision: number, content: Content): BaseState => ({ revision, content })
const deletedAt = (revision: number, before?: BaseState): RemoteState => ({
  revision,
  content: undefined,
  ...(before === undefined ? {} : { before }),
})

interface Case {
  readonly name: string
  readonly local?: LocalState
  readonly base?: BaseState
  readonly remote?: RemoteState
  readonly then: Intent
}

const none: Intent = { tag: 'none' }
const put = (version: BaseState): Intent => ({ tag: 'put', version })
const adopt = (version: BaseState): Intent => ({ tag: 'adopt', version })
const touch = (version: BaseState): Intent => ({ tag: 'touch', version })
const creates = (content: Content): Intent => ({ tag: 'publish', action: 'create', content, base: 'none' })
const updates = (content: Content, base: number): Intent => ({ tag: 'publish', action: 'update', content, base })
const conflict = (content: Content): Intent => ({ tag: 'conflict', content })

const cases: readonly Case[] = [
  // Nothing on the disk.
  { name: 'nothing anywhere', then: none },
  { name: 'deleted, and never here', remote: deletedAt(5), then: none },
  { name: 'gone on both sides', base: at(1, A), then: { tag: 'forget' } },
  { name: 'gone on both sides, by a deletion', base: at(1, A), remote: deletedAt(5), then: { tag: 'forget' } },
  { name: 'gone here, as it was in the log', base: at(1, A), remote: at(1, A), then: { tag: 'publishDeletion', base: 1 } },
  { name: 'new in the log', remote: at(5, B), then: put(at(5, B)) },
  { name: 'I4: gone here, edited there', base: at(1, A), remote: at(5, B), then: put(at(5, B)) },
  { name: 'gone here, touched there', base: at(1, A), remote: at(5, touchedA), then: put(at(5, touchedA)) },
  { name: 'gone here, and made again there with the same bytes', base: at(1, A), remote: at(5, A), then: put(at(5, A)) },
  { name: 'an older version gone here', base: at(UNKNOWN_REVISION, A), remote: at(5, B), then: put(at(5, B)) },
  // Nothing in the log.
  { name: 'new here', local: local(A), then: creates(A) },
  { name: 'new here, where something was deleted', local: local(A), remote: deletedAt(5), then: creates(A) },
  { name: 'deleted on its way, and here for all that', local: local(A), remote: deletedAt(5, at(4, A)), then: { tag: 'remove' } },
  { name: 'new here, where another was deleted on its way', local: local(B), remote: deletedAt(5, at(4, A)), then: creates(B) },
  { name: 'deleted on its way, and not here', remote: deletedAt(5, at(4, A)), then: none },
  { name: 'a new folder', local: local(folder), then: creates(folder) },
  { name: 'deleted there, unchanged here', local: local(A), base: at(1, A), remote: deletedAt(5), then: { tag: 'remove' } },
  { name: 'deleted there, touched here', local: local(touchedA), base: at(1, A), remote: deletedAt(5), then: { tag: 'remove' } },
  { name: 'I4: deleted there, edited here', local: local(B), base: at(1, A), remote: deletedAt(5), then: updates(B, 1) },
  { name: 'I4: so it is where the edit was refused before', local: local(B, 4), base: at(1, A), remote: deletedAt(5), then: updates(B, 1) },
  { name: 'refused as new, and then deleted there', local: local(B, 4), remote: deletedAt(5), then: creates(B) },
  {
    name: 'an edit of an older version, deleted there',
    local: local(B),
    base: at(UNKNOWN_REVISION, A),
    remote: deletedAt(5),
    then: creates(B),
  },
  // The same bytes on both sides.
  { name: 'in sync', local: local(A), base: at(1, A), remote: at(1, A), then: none },
  { name: 'the same made on both sides', local: local(A), remote: at(5, A), then: adopt(at(5, A)) },
  { name: 'I13: the same made on both sides at other times', local: local(touchedA), remote: at(5, A), then: touch(at(5, A)) },
  { name: 'the same edit on both sides', local: local(B), base: at(1, A), remote: at(5, B), then: adopt(at(5, B)) },
  { name: 'the same edit on both sides, refused before', local: local(B, 3), base: at(1, A), remote: at(5, B), then: adopt(at(5, B)) },
  { name: 'touched there', local: local(A), base: at(1, A), remote: at(5, touchedA), then: touch(at(5, touchedA)) },
  { name: 'made executable there', local: local(A), base: at(1, A), remote: at(5, runnableA), then: touch(at(5, runnableA)) },
  { name: 'touched here', local: local(touchedA), base: at(1, A), remote: at(1, A), then: updates(touchedA, 1) },
  { name: 'made executable here', local: local(runnableA), base: at(1, A), remote: at(1, A), then: updates(runnableA, 1) },
  { name: 'a symlink touched here', local: local(touchedLinkA), base: at(1, linkA), remote: at(1, linkA), then: updates(touchedLinkA, 1) },
  {
    name: 'a symlink touched there',
    local: local(linkA),
    base: at(1, linkA),
    remote: at(5, touchedLinkA),
    then: touch(at(5, touchedLinkA)),
  },
  { name: 'I13: the same symlink made on both sides', local: local(touchedLinkA), remote: at(5, linkA), then: touch(at(5, linkA)) },
  { name: 'touched here, and refused', local: local(touchedA, 1), base: at(1, A), remote: at(1, A), then: touch(at(1, A)) },
  { name: 'touched on both sides, alike', local: local(touchedA), base: at(1, A), remote: at(5, touchedA), then: adopt(at(5, touchedA)) },
  {
    name: 'I13: touched on both sides, differently',
    local: local(runnableA),
    base: at(1, A),
    remote: at(5, touchedA),
    then: touch(at(5, touchedA)),
  },
  { name: 'the base is not quite what the log says', local: local(A), base: at(1, touchedA), remote: at(1, A), then: adopt(at(1, A)) },
  {
    name: 'the same folder on both sides',
    local: local(folder),
    remote: at(5, { ...folder, modified: '7' }),
    then: adopt(at(5, { ...folder, modified: '7' })),
  },
  {
    name: 'a folder whose time has changed',
    local: local({ ...folder, modified: '7' }),
    base: at(1, folder),
    remote: at(1, folder),
    then: none,
  },
  // Other bytes here than in the log.
  { name: 'edited there', local: local(A), base: at(1, A), remote: at(5, B), then: put(at(5, B)) },
  { name: 'edited there, touched here', local: local(touchedA), base: at(1, A), remote: at(5, B), then: put(at(5, B)) },
  { name: 'edited there, and it was refused here before', local: local(A, 3), base: at(1, A), remote: at(5, B), then: put(at(5, B)) },
  {
    name: 'known to the gateway as an older version',
    local: local(A),
    base: at(UNKNOWN_REVISION, A),
    remote: at(5, B),
    then: put(at(5, B)),
  },
  { name: 'edited here', local: local(B), base: at(1, A), remote: at(1, A), then: updates(B, 1) },
  { name: 'edited here, touched there', local: local(B), base: at(1, A), remote: at(5, touchedA), then: updates(B, 5) },
  { name: 'edited on both sides: the gateway is asked', local: local(B), base: at(1, A), remote: at(5, C), then: updates(B, 1) },
  { name: 'edited on both sides, and refused', local: local(B, 5), base: at(1, A), remote: at(5, C), then: conflict(B) },
  { name: 'edited here, and refused', local: local(B, 1), base: at(1, A), remote: at(1, A), then: conflict(B) },
  { name: 'other new files on both sides: the gateway is asked', local: local(B), remote: at(5, C), then: creates(B) },
  { name: 'other new files on both sides, and refused', local: local(B, 5), remote: at(5, C), then: conflict(B) },
  { name: 'an edit of an older version', local: local(B), base: at(UNKNOWN_REVISION, A), remote: at(5, C), then: creates(B) },
  { name: 'a folder that became a file', local: local(A), base: at(1, folder), remote: at(1, folder), then: updates(A, 1) },
  { name: 'a file that became a folder there', local: local(A), base: at(1, A), remote: at(5, folder), then: put(at(5, folder)) },
  {
    name: 'a file that became a symlink of the same bytes',
    local: local(linkA),
    base: at(1, A),
    remote: at(1, A),
    then: updates(linkA, 1),
  },
  { name: 'a folder and an empty file are not the same bytes', local: local(folder), remote: at(5, empty), then: creates(folder) },
]

describe('plan', () => {
  it.each(cases)('$name', ({ local: here, base, remote, then }) => {
    expect(plan({ local: here, base, remote })).toEqual(then)
  })
})

const anyContent = fc.constantFrom(A, B, C, touchedA, runnableA, linkA, touchedLinkA, folder, empty)
const anyRevision = fc.integer({ min: 0, max: 3 })
const anyLocal = fc.option(
  fc
    .record({ content: anyContent, refused: fc.option(anyRevision, { nil: undefined }) })
    .map(({ content, refused }) => local(content, refused)),
  { nil: undefined },
)
const anyBase = fc.option(fc.record({ revision: fc.integer({ min: UNKNOWN_REVISION, max: 3 }), content: anyContent }), { nil: undefined })
const anyRemote = fc.option(fc.record({ revision: anyRevision, content: fc.option(anyContent, { nil: undefined }) }), { nil: undefined })
const anyTrees: fc.Arbitrary<Trees> = fc.record({ local: anyLocal, base: anyBase, remote: anyRemote })

const holds = (property: (trees: Trees, intent: Intent) => void): void => {
  fc.assert(fc.property(anyTrees, (trees) => property(trees, plan(trees))))
}

describe('every plan', () => {
  it('without a base is no deletion, of the disk or of the log', () => {
    holds(({ base }, { tag }) => {
      if (base === undefined) expect(['remove', 'publishDeletion', 'forget']).not.toContain(tag)
    })
  })

  it('I4: deletes in the log only the very version that was in sync', () => {
    holds(({ local: here, base, remote }, intent) => {
      if (intent.tag !== 'publishDeletion') return
      expect(here).toBeUndefined()
      expect(remote?.revision).toBe(base?.revision)
      expect(intent.base).toBe(base?.revision)
    })
  })

  it('I4: removes from the disk only the bytes that were in sync', () => {
    holds(({ local: here, base, remote }, intent) => {
      if (intent.tag !== 'remove') return
      expect(remote?.content).toBeUndefined()
      expect(here !== undefined && base !== undefined && sameBytes(here.content, base.content)).toBe(true)
    })
  })

  it('I3: puts a version only over nothing, or over the bytes that were in sync', () => {
    holds(({ local: here, base }, intent) => {
      if (intent.tag === 'put' && here !== undefined) expect(base !== undefined && sameBytes(here.content, base.content)).toBe(true)
    })
  })

  it('I13: makes no conflict of the same bytes, and none that the gateway has not refused', () => {
    holds(({ local: here, remote }, intent) => {
      if (intent.tag !== 'conflict') return
      expect(here?.refused).toBeDefined()
      expect(remote?.content !== undefined && here !== undefined && sameBytes(here.content, remote.content)).toBe(false)
    })
  })

  it('brings the version of the log, whole', () => {
    holds(({ remote }, intent) => {
      if ('version' in intent) expect(intent.version).toEqual(remote)
    })
  })

  it('sends what the disk holds, on a version that has a number', () => {
    holds(({ local: here }, intent) => {
      if (intent.tag !== 'publish') return
      expect(intent.content).toBe(here?.content)
      if (intent.action === 'create') expect(intent.base).toBe('none')
      else expect(intent.base).toBeGreaterThanOrEqual(0)
    })
  })

  it('of a disk as it was in sync follows the log', () => {
    holds(({ local: here, base, remote }, { tag }) => {
      if (here === undefined || base === undefined || !sameContent(here.content, base.content)) return
      if (remote !== undefined && remote.revision === base.revision) return
      expect(['put', 'remove', 'touch', 'adopt']).toContain(tag)
    })
  })

  it('of what is in sync is nothing to do', () => {
    holds(({ local: here }) => {
      if (here === undefined) return
      const version = at(7, here.content)
      expect(plan({ local: here, base: version, remote: version })).toEqual(none)
    })
  })
})
