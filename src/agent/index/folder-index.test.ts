import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { path } from '../../../test/support/disk.ts'
import { EMPTY_HASH, NO_CHUNKS, type Chunk, type Content, type Hash } from '../../domain/content.ts'
import type { FileId } from '../../domain/events.ts'
import type { SyncPath } from '../../domain/path.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import type { Seen } from '../disk/port.ts'
import { FolderIndex } from './folder-index.ts'
import type { IsIgnored, LocalNode, Node } from './node.ts'
import { MAYBE_CONFLICT, MAYBE_RULES } from './schema.ts'

const open = (isIgnored: IsIgnored = () => false): FolderIndex =>
  new FolderIndex(openDatabase(':memory:', { synchronous: 'OFF' }), isIgnored)

// Of the right form.
const hashOf = (text: string): Hash => Buffer.from(text.padEnd(32, '.')).toString('hex').slice(0, 64) as Hash
const ID = '0'.repeat(32) as FileId

const file = (text: string, more: Partial<Content> = {}): Content => {
  const hash = hashOf(text)
  return {
    kind: 'file',
    size: 3,
    hash,
    manifest: { tag: 'chunks', chunks: [{ hash, size: 3 }] },
    executable: false,
    modified: '1700000000123456789',
    ...more,
  }
}
const folder: Content = { kind: 'directory', size: 0, hash: EMPTY_HASH, manifest: NO_CHUNKS, executable: false, modified: '5' }
const seen = (more: Partial<Seen> = {}): Seen => ({
  kind: 'file',
  size: 3,
  mtime: '1',
  ctime: '2',
  inode: '18446744073709551615',
  executable: false,
  ...more,
})
const local = (content: Content, more: Partial<LocalNode> = {}): LocalNode => ({
  seen: seen({ kind: content.kind }),
  content,
  settled: true,
  ...more,
})
const at = (revision: number, content: Content) => ({ revision, content })
const remote = (index: FolderIndex, name: string, version: number, content: Content | undefined): void =>
  index.applyRemote({ path: path(name), version, fileId: ID, content })

/** The bits of a path: what is to be sent, and what is to be received. */
const stateOf = (index: FolderIndex, name: string): number => index.stateAt(path(name))
const namesOf = (nodes: readonly Node[]): SyncPath[] => nodes.map((node) => node.path)

const A = file('a')
const B = file('b')
const touchedA = file('a', { modified: '1800000000000000000' })

describe('a node', () => {
  const anyHash = fc.constantFrom('x', 'y', 'z').map(hashOf)
  const anyChunk: fc.Arbitrary<Chunk> = fc.record({ hash: anyHash, size: fc.nat() })
  const anyContent: fc.Arbitrary<Content> = fc.oneof(
    fc.constant(folder),
    fc.record({
      kind: fc.constantFrom('file' as const, 'symlink' as const),
      size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      hash: fc.oneof(anyHash, fc.constant(EMPTY_HASH)),
      manifest: fc.oneof(
        fc.array(anyChunk, { maxLength: 4 }).map((chunks) => ({ tag: 'chunks' as const, chunks })),
        fc.record({ tag: fc.constant('object' as const), hash: anyHash, size: fc.nat() }),
      ),
      executable: fc.boolean(),
      modified: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
    }),
  )
  const oneChunk = (content: Content): Content =>
    content.manifest.tag === 'chunks' && content.manifest.chunks.length === 1 && content.manifest.chunks[0]?.hash === content.hash
      ? { ...content, manifest: { tag: 'chunks', chunks: [{ hash: content.hash, size: content.size }] } }
      : content
  const anyReal = anyContent.map(oneChunk)
  const anySeen = fc.record({
    kind: fc.constantFrom('file' as const, 'directory' as const, 'symlink' as const),
    size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    mtime: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
    ctime: fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
    inode: fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
    executable: fc.boolean(),
  })
  const anyNode = fc.record({
    local: fc.option(
      fc
        .record({ seen: anySeen, content: anyReal, settled: fc.boolean(), refused: fc.option(fc.nat(), { nil: undefined }) })
        .map(({ refused, ...node }) => (refused === undefined ? node : { ...node, refused })),
      { nil: undefined },
    ),
    base: fc.option(fc.record({ revision: fc.integer({ min: -1 }), content: anyReal }), { nil: undefined }),
    remote: fc.option(fc.record({ revision: fc.nat(), content: fc.option(anyReal, { nil: undefined }) }), { nil: undefined }),
  })

  it('is read as it was written, in every field', () => {
    const database = openDatabase(':memory:', { synchronous: 'OFF' })
    const index = new FolderIndex(database, () => false)
    fc.assert(
      fc.property(anyNode, (node) => {
        index.put({ path: path('d/a'), ...node })
        const kept = node.local !== undefined || node.base !== undefined || node.remote?.content !== undefined
        for (const reader of [index, new FolderIndex(database, () => false)])
          expect(reader.get(path('d/a'))).toEqual(
            kept ? { path: 'd/a', ...node } : { path: 'd/a', local: undefined, base: undefined, remote: undefined },
          )
      }),
    )
  })

  it('that it remembers is as it is stored, whatever part of it was written', () => {
    const change = fc.record({ node: anyNode, part: fc.constantFrom('local', 'base', 'remote', 'inSync') })
    const name = path('d/a')
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const database = openDatabase(':memory:', { synchronous: 'OFF' })
        const index = new FolderIndex(database, () => false)
        for (const { node, part } of changes) {
          if (part === 'local') index.setLocal(name, node.local)
          else if (part === 'base') index.setBase(name, node.base)
          else if (part === 'remote')
            index.applyRemote({ path: name, version: node.remote?.revision ?? 0, content: node.remote?.content, fileId: ID })
          else if (node.local !== undefined && node.base !== undefined) index.setInSync(name, node.local, node.base)
          const stored = new FolderIndex(database, () => false)
          expect([index.get(name), index.stateAt(name), namesOf(index.open('', 9))]).toEqual([
            stored.get(name),
            stored.stateAt(name),
            namesOf(stored.open('', 9)),
          ])
          const whole = new FolderIndex(openDatabase(':memory:', { synchronous: 'OFF' }), () => false)
          whole.put(index.get(name))
          const columns = 'SELECT parent, hash, base_hash, want_hash, state FROM node'
          expect(index.statement(columns).all()).toEqual(whole.statement(columns).all())
        }
      }),
      { numRuns: 50 },
    )
  })

  it('is as it was before a transaction that failed', () => {
    const index = open()
    index.setLocal(path('a'), local(A))
    index.setMeta('position', '1')
    expect(() =>
      index.atomically(() => {
        index.setLocal(path('a'), local(B))
        index.setLocal(path('b'), local(B))
        index.setMeta('position', '2')
        throw new Error('a mistake')
      }),
    ).toThrow('a mistake')
    expect([index.get(path('a')).local, index.get(path('b')).local, index.meta('position')]).toEqual([local(A), undefined, '1'])
  })

  it('is kept across openings', () => {
    const database = openDatabase(':memory:', { synchronous: 'OFF' })
    new FolderIndex(database, () => false).setLocal(path('a'), local(A))
    expect(new FolderIndex(database, () => false).get(path('a')).local).toEqual(local(A))
  })

  it('of a newer schema is not opened', () => {
    const database = openDatabase(':memory:', { synchronous: 'OFF' })
    database.exec('PRAGMA user_version = 99')
    expect(() => new FolderIndex(database, () => false)).toThrow(/newer version/)
  })

  it('that is nowhere any more is gone', () => {
    const index = open()
    remote(index, 'a', 1, A)
    index.setBase(path('a'), at(1, A))
    remote(index, 'a', 2, undefined)
    index.setBase(path('a'), undefined)
    expect(index.open('', 10)).toEqual([])
    expect(index.get(path('a')).remote).toBeUndefined()
  })

  it('that was deleted on its way here stays open, with what was on its way, until a look finds nothing', () => {
    const index = open()
    remote(index, 'a', 1, A)
    remote(index, 'a', 2, undefined)
    expect(index.open('', 10)).toMatchObject([{ remote: { revision: 2, content: undefined, before: at(1, A) } }])
    remote(index, 'a', 4, undefined)
    expect(index.get(path('a')).remote).toEqual({ revision: 4, content: undefined, before: at(1, A) })
    index.forgetBefore(path('a'))
    expect(index.get(path('a')).remote).toBeUndefined()
  })
})

describe('the state of a path', () => {
  it.each([
    ['in sync', local(A), at(1, A), at(1, A), 0],
    ['new here', local(A), undefined, undefined, 1],
    ['edited here', local(B), at(1, A), at(1, A), 1],
    ['touched here', local(touchedA), at(1, A), at(1, A), 1],
    ['gone here', undefined, at(1, A), at(1, A), 1],
    ['new there', undefined, undefined, at(1, A), 2],
    ['edited there', local(A), at(1, A), at(2, B), 2],
    ['a new version of the same content', local(A), at(1, A), at(2, A), 2],
    ['deleted there', local(A), at(1, A), { revision: 2, content: undefined }, 2],
    ['on both sides', local(B), at(1, A), at(2, B), 3],
    ['new on both sides', local(A), undefined, at(2, A), 3],
    ['gone on both sides', undefined, at(1, A), { revision: 2, content: undefined }, 3],
  ] as const)('%s', (_name, here, base, there, state) => {
    const index = open()
    index.put({ path: path('a'), local: here, base, remote: there })
    expect(stateOf(index, 'a')).toBe(state)
    expect(namesOf(index.open('', 10))).toEqual(state === 0 ? [] : ['a'])
    expect(index.counts()).toEqual({ outgoing: state === 1 ? 1 : 0, incoming: state >= 2 ? 1 : 0 })
  })

  it('is nothing where the path is ignored, until the rules change', () => {
    const rules = { ignored: 'd' }
    const index = open((name) => name === rules.ignored || name.startsWith(`${rules.ignored}/`))
    for (const name of ['d/a', 'd/e/b', 'd0', 'dd', 'c']) index.setLocal(path(name), local(A))
    index.setLocal(path('d'), local(folder))
    expect(namesOf(index.open('', 10))).toEqual(['c', 'd0', 'dd'])
    rules.ignored = 'c'
    index.refresh(path('d'))
    expect(namesOf(index.open('', 10))).toEqual(['c', 'd/a', 'd/e/b', 'd0', 'dd'])
    index.refresh('')
    expect(namesOf(index.open('', 10))).toEqual(['d', 'd/a', 'd/e/b', 'd0', 'dd'])
  })

  it('comes with the kind that the rules are asked about', () => {
    const asked: [string, boolean][] = []
    const index = open((name, isDirectory) => {
      asked.push([name, isDirectory])
      return false
    })
    index.setLocal(path('d'), local(folder))
    remote(index, 'e', 1, folder)
    remote(index, 'd', 1, A)
    index.setLocal(path('f'), local(A))
    expect(asked).toEqual([
      ['d', true],
      ['e', true],
      ['d', true],
      ['f', false],
    ])
  })

  it('of thousands is refreshed in pages', () => {
    const rules = { all: true }
    const index = open(() => rules.all)
    index.atomically(() => {
      for (let each = 0; each < 2_500; each += 1) index.setLocal(path(`d/${each}`), local(A))
    })
    expect(index.counts().outgoing).toBe(0)
    rules.all = false
    index.refresh('')
    expect(index.counts().outgoing).toBe(2_500)
  })
})

describe('what is asked of directories', () => {
  const names = [
    'd',
    'd ',
    'd!',
    'd/a',
    'd/e',
    'd/e/b',
    'd/\u0001',
    'd/%',
    'd/ü',
    'd/u\u0308',
    'd/😀',
    'd/\uE000',
    'd.',
    'd0',
    'd0/a',
    'd00',
    'D/a',
    'da',
    '%/a',
    '_/a',
  ]
  const filled = (): FolderIndex => {
    const index = open()
    for (const name of names) index.setLocal(path(name), local(A))
    return index
  }

  it('is all below it, in one order, page by page, and nothing beside it', () => {
    const index = filled()
    const below = names.filter((name) => name.startsWith('d/')).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(namesOf(index.below(path('d'), '', 100))).toEqual(below)
    const paged: SyncPath[] = []
    for (let page = index.below(path('d'), '', 3); page.length > 0; page = index.below(path('d'), paged.at(-1) ?? '', 3))
      paged.push(...namesOf(page))
    expect(paged).toEqual(below)
    expect(namesOf(index.below(path('%'), '', 100))).toEqual(['%/a'])
  })

  it('is what is directly inside it on the disk', () => {
    const index = filled()
    remote(index, 'd/there', 1, A)
    expect([...index.locals(path('d')).keys()].toSorted()).toEqual(
      ['d/a', 'd/e', 'd/\u0001', 'd/%', 'd/ü', 'd/u\u0308', 'd/😀', 'd/\uE000'].toSorted(),
    )
    expect([...index.locals(path('d/e')).keys()]).toEqual(['d/e/b'])
    expect([...index.locals('').keys()].toSorted()).toEqual(names.filter((name) => !name.includes('/')).toSorted())
  })

  it('is whether something vanished below it that the log still has', () => {
    const index = filled()
    expect(index.vanishedBelow(path('d'))).toBe(false)
    for (const name of ['d0/x', 'd/e/x']) {
      index.setBase(path(name), at(1, A))
      remote(index, name, 1, A)
    }
    expect([index.vanishedBelow(path('d')), index.vanishedBelow(path('d0')), index.vanishedBelow(path('da'))]).toEqual([true, true, false])
    remote(index, 'd/e/x', 2, undefined)
    index.setBase(path('d/e/x'), undefined)
    expect(index.vanishedBelow(path('d'))).toBe(false)
  })

  it('is whether something below it stays when the log has deleted it', () => {
    const index = open()
    const deleted = (name: string, here: Content): void => {
      index.setLocal(path(name), local(here))
      index.setBase(path(name), at(1, A))
      remote(index, name, 2, undefined)
    }
    deleted('d/e/a', A)
    expect(index.staysBelow(path('d'))).toBe(false)
    deleted('d/e/edited', B)
    expect(index.staysBelow(path('d'))).toBe(true)
    expect(index.staysBelow(path('d/e'))).toBe(true)
    deleted('d/e/edited', A)
    index.setLocal(path('d/f'), local(A))
    expect(index.staysBelow(path('d'))).toBe(true)
    expect(index.staysBelow(path('d/e'))).toBe(false)
  })
})

describe('what is open', () => {
  it('is given in path order, after a path, up to a limit', () => {
    const index = open()
    for (const name of ['c', 'a', 'b/x', 'b']) index.setLocal(path(name), local(A))
    expect(namesOf(index.open('', 2))).toEqual(['a', 'b'])
    expect(namesOf(index.open('b', 2))).toEqual(['b/x', 'c'])
    expect(index.open('c', 2)).toEqual([])
  })
})

describe('a transaction of what a look showed', () => {
  it('waits for no disk, and the next one does again, also after one that failed', () => {
    const database = openDatabase(':memory:', { synchronous: 'FULL' })
    const index = new FolderIndex(database, () => false)
    const level = () => database.prepare('PRAGMA synchronous').get()?.['synchronous']
    const failing = () =>
      index.note(() => {
        index.setMeta('a', 'lost')
        throw new Error('a mistake')
      })
    expect([index.note(() => (index.setMeta('a', 'kept'), level())), level()]).toEqual([1, 2])
    expect(failing).toThrow('a mistake')
    expect([level(), index.meta('a')]).toEqual([2, 'kept'])
    expect(index.atomically(() => index.note(level))).toBe(2)
  })
})

describe('contents', () => {
  it('are found in local files, where they vanished, and where the log wants them', () => {
    const index = open()
    index.setLocal(path('here'), local(A))
    index.setLocal(path('link'), local({ ...A, kind: 'symlink' }))
    index.setBase(path('vanished'), at(1, A))
    remote(index, 'vanished', 1, A)
    remote(index, 'wanted', 2, A)
    index.setLocal(path('same'), local(touchedA))
    remote(index, 'same', 3, A)
    expect(namesOf(index.filesWith(A.hash, 10)).toSorted()).toEqual(['here', 'same'])
    expect(namesOf(index.vanishedWith(A.hash, 10))).toEqual(['vanished'])
    expect(index.wantedAt(A.hash, 10)).toEqual(['wanted'])
    expect([index.filesWith(B.hash, 10), index.vanishedWith(B.hash, 10), index.wantedAt(B.hash, 10)]).toEqual([[], [], []])
    expect(index.filesWith(A.hash, 1)).toHaveLength(1)
    expect([index.knowsBytes(A.hash), index.knowsBytes(B.hash), index.anyVanished()]).toEqual([true, false, true])
    index.setBase(path('vanished'), undefined)
    expect([index.knowsBytes(A.hash), index.anyVanished()]).toEqual([false, false])
    index.setBase(path('same'), at(3, touchedA))
    expect([index.knowsBytes(A.hash), index.anyVanished()]).toEqual([true, false])
  })

  it('are told from those that no local file has, many at once', () => {
    const index = open()
    index.setLocal(path('a'), { content: file('one'), seen: seen(), settled: true })
    expect(index.hashesAmong([hashOf('one'), hashOf('two')])).toEqual(new Set([hashOf('one')]))
    expect(index.hashesAmong([])).toEqual(new Set())
  })

  it('of several chunks are listed in order, and found piece by piece', () => {
    const index = open()
    const chunks = [
      { hash: hashOf('1'), size: 10 },
      { hash: hashOf('2'), size: 20 },
      { hash: hashOf('1'), size: 10 },
    ]
    const large = file('large', { size: 40, manifest: { tag: 'chunks', chunks } })
    index.setLocal(path('large'), local(large), chunks)
    expect(index.chunksOf(path('large'))).toEqual(chunks)
    expect(index.placesOf(hashOf('1'), 10)).toEqual([
      { path: 'large', offset: 0 },
      { path: 'large', offset: 30 },
    ])
    expect(index.placesOf(hashOf('2'), 10)).toEqual([{ path: 'large', offset: 10 }])
    expect(index.placesOf(large.hash, 10)).toEqual([{ path: 'large', offset: 0 }])
    index.setLocal(path('large'), local({ ...large, modified: '9' }))
    expect(index.chunksOf(path('large'))).toEqual(chunks)
    index.setLocal(path('large'), local(A), [{ hash: A.hash, size: 3 }])
    expect([index.chunksOf(path('large')), index.placesOf(hashOf('1'), 10)]).toEqual([[], []])
    index.setLocal(path('large'), local(large), chunks)
    index.setLocal(path('large'), undefined)
    expect([index.chunksOf(path('large')), index.placesOf(large.hash, 10)]).toEqual([[], []])
  })

  it('that were in sync before are remembered by path', () => {
    const index = open()
    for (const [revision, content] of [A, B, file('c')].entries()) index.setBase(path('a'), at(revision, content))
    index.setBase(path('b'), at(1, A))
    index.setBase(path('b'), at(2, touchedA))
    expect([A, B, file('c')].map(({ hash }) => index.wasPast(path('a'), hash))).toEqual([true, true, false])
    expect(index.wasPast(path('b'), A.hash)).toBe(false)
  })

  it('are found by the inode that holds them', () => {
    const index = open()
    index.setLocal(path('a'), local(A, { seen: seen({ inode: '42' }) }))
    index.setLocal(path('b'), local(A, { seen: seen({ inode: '43', size: 42 }) }))
    expect(namesOf(index.localsWithInode('42'))).toEqual(['a'])
  })
})

describe('names', () => {
  it('of conflict copies on the disk, and of ignore files anywhere, are found without a look at the others', () => {
    const db = openDatabase(':memory:', { synchronous: 'OFF' })
    const index = new FolderIndex(db, () => false)
    for (const name of ['x (conflict y)', 'd/x (conflict y)', 'x']) index.setLocal(path(name), local(A))
    remote(index, 'there (conflict y)', 1, A)
    expect(index.maybeConflictCopies()).toEqual(['d/x (conflict y)', 'x (conflict y)'])
    const [rules, others] = [
      ['.eventsyncignore', 'd/.eventsyncignore'],
      ['d/x.eventsyncignore', '.eventsyncignore/x'],
    ]
    for (const name of [...rules, ...others]) remote(index, name, 1, A)
    expect(index.ignoreFiles().toSorted()).toEqual(rules)
    for (const condition of [MAYBE_CONFLICT, MAYBE_RULES]) {
      const how = db.prepare(`EXPLAIN QUERY PLAN SELECT path FROM node WHERE ${condition}`).get()
      expect(how?.['detail']).toContain('USING COVERING INDEX')
    }
  })
})

describe('refusals', () => {
  it('are noted of what the disk holds, and only there', () => {
    const index = open()
    index.setLocal(path('a'), local(A))
    index.setRefused(path('a'), 7)
    index.setRefused(path('none'), 7)
    expect(index.get(path('a')).local?.refused).toBe(7)
    expect(index.get(path('none')).local).toBeUndefined()
  })
})

describe('I17: after a power cut', () => {
  it('what is not in sync counts as what was last in sync, until it is looked at', () => {
    const index = open()
    const put = (name: string, here: Content | undefined, base: Content | undefined): void => {
      if (here !== undefined) index.setLocal(path(name), local(here))
      if (base === undefined) return
      index.setBase(path(name), at(1, base))
      remote(index, name, 1, base)
    }
    put('synced', A, A)
    put('edited', B, A)
    put('gone', undefined, A)
    put('new', A, undefined)
    index.distrust()
    expect(index.get(path('synced')).local).toEqual(local(A))
    expect(index.get(path('new')).local).toBeUndefined()
    for (const name of ['edited', 'gone'])
      expect(index.get(path(name)).local).toMatchObject({ content: A, settled: false, seen: { inode: '0', mtime: '0' } })
    expect(index.open('', 10)).toEqual([])
  })
})

describe('writes', () => {
  it('of what was put in place, to both trees in one step, are those of one after the other', () => {
    const [one, other] = [open(), open()]
    const content = file('one')
    const local: LocalNode = { content, seen: seen(), settled: true }
    for (const index of [one, other]) index.applyRemote({ path: path('a'), version: 7, fileId: ID, content })
    one.setInSync(path('a'), local, { revision: 7, content })
    other.setLocal(path('a'), local)
    other.setBase(path('a'), { revision: 7, content })
    expect(one.get(path('a'))).toEqual(other.get(path('a')))
    expect([one.stateAt(path('a')), one.filesWith(content.hash, 2).length, one.wantedAt(content.hash, 2)]).toEqual([0, 1, []])
  })

  it('of one transaction are kept together, or not at all', () => {
    const index = open()
    expect(() =>
      index.atomically(() => {
        index.setLocal(path('a'), local(A))
        index.atomically(() => index.setLocal(path('b'), local(A)))
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(index.open('', 10)).toEqual([])
  })

  it('of settings are the last ones', () => {
    const index = open()
    expect(index.meta('position')).toBeUndefined()
    index.setMeta('position', '1')
    index.setMeta('position', '2')
    expect(index.meta('position')).toBe('2')
  })
})
