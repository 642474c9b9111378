import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, it } from 'vitest'
import { gatewayWorld, type World } from '../../../test/support/gateway.ts'
import { anyStep, play } from '../../../test/support/random-steps.ts'
import { sameContent } from '../../domain/content.ts'
import type { FolderId, TreeEntry } from '../../domain/events.ts'
import { parseGlob } from '../../domain/glob.ts'
import { isFileEvent, touched } from '../../domain/tree.ts'
import { decodeFolderEvent, decodeMetadata } from '../../protocol/event-codec.ts'
import type { Between, ChangePage, EventFilter, HistoryEvent, HistoryReads, TreePage } from './port.ts'
import { readHistory, readNames } from './reads.ts'

const right = async <A>(task: TE.TaskEither<unknown, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** The folder's events as the log has them. */
const eventsOf = (world: World, folder: FolderId) =>
  (world.storage.streams.get(`folder-${folder}`) ?? []).map((recorded) => {
    const [event, metadata] = [decodeFolderEvent(recorded), decodeMetadata(recorded.metadata)]
    if (E.isLeft(event) || E.isLeft(metadata)) throw new Error('an event cannot be read')
    return { revision: recorded.revision, event: event.right, metadata: metadata.right }
  })
type Logged = ReturnType<typeof eventsOf>[number]

/** The tree that a replay makes of the events up to a revision: what lives, by path. */
const replay = (events: readonly Logged[], upTo: number): Map<string, TreeEntry> => {
  const tree = new Map<string, TreeEntry>()
  for (const { event, revision } of events)
    if (revision <= upTo && isFileEvent(event)) for (const entry of touched(event, revision)) tree.set(entry.path, entry)
  for (const [path, entry] of tree) if (entry.content === undefined) tree.delete(path)
  return tree
}

const inOrder = (paths: Iterable<string>): string[] => [...paths].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const allTree = async (reads: HistoryReads, folder: FolderId, at: number, max: number) => {
  const entries: TreePage['entries'][number][] = []
  let page = await right(reads.tree(folder, at, undefined, max))
  for (entries.push(...page.entries); page.next !== undefined; entries.push(...page.entries))
    page = await right(reads.tree(folder, at, page.next, max))
  return entries
}

const allChanges = async (reads: HistoryReads, folder: FolderId, between: Between, max: number) => {
  const changes: ChangePage['changes'][number][] = []
  let page = await right(reads.changes(folder, between, undefined, max))
  for (changes.push(...page.changes); page.next !== undefined; changes.push(...page.changes))
    page = await right(reads.changes(folder, between, page.next, max))
  return changes
}

const allEvents = async (reads: HistoryReads, folder: FolderId, filter: EventFilter, max: number) => {
  const events: HistoryEvent[] = []
  let from: number | undefined = 0
  while (from !== undefined) {
    const page: { readonly events: readonly HistoryEvent[]; readonly next: number | undefined } = await right(
      reads.events(folder, { ...filter, from, to: Infinity, max }),
    )
    events.push(...page.events)
    from = page.next
  }
  return events
}

const played = async (steps: Parameters<typeof play>[1], look: number) => {
  const world = await gatewayWorld()
  const folder = await play(world, steps)
  return { world, folder, events: eventsOf(world, folder), reads: readHistory(world.gateway.followDatabase, look) }
}

type Tree = ReturnType<typeof replay>

const expectChanges = (found: ChangePage['changes'], before: Tree, after: Tree): void => {
  const differing = inOrder(new Set([...before.keys(), ...after.keys()])).filter((path) => {
    const [a, b] = [before.get(path)?.content, after.get(path)?.content]
    return a === undefined || b === undefined || !sameContent(a, b)
  })
  expect(found.map(({ path }) => path)).toEqual(differing)
  const placeIn = (tree: Tree, fileId: string | undefined) => [...tree.values()].find((entry) => entry.fileId === fileId)?.path
  for (const { path, before: was, after: is, cameFrom, wentTo } of found) {
    expect([was?.revision, is?.revision]).toEqual([before.get(path)?.revision, after.get(path)?.revision])
    if (cameFrom !== undefined) expect(cameFrom).toBe(placeIn(before, is?.fileId))
    if (wentTo !== undefined) expect(wentTo).toBe(placeIn(after, was?.fileId))
  }
}

const steps = fc.array(anyStep, { maxLength: 25 })
const looks = fc.constantFrom(1, 2, 7, 20_000)
const sizes = fc.constantFrom(1, 2, 5, 1000)

describe('the history index', () => {
  it('I7: the tree as of any revision is the one that a replay up to there makes', async () => {
    await fc.assert(
      fc.asyncProperty(steps, looks, sizes, async (all, look, max) => {
        const { folder, events, reads } = await played(all, look)
        for (let at = -1; at < events.length; at += 1) {
          const expected = replay(events, at)
          const found = await allTree(reads, folder, at, max)
          expect(found.map(({ path }) => path)).toEqual(inOrder(expected.keys()))
          for (const { path, revision, fileId, content } of found) {
            const { manifest: _, ...described } = expected.get(path)?.content ?? { manifest: undefined }
            expect({ path, revision, fileId, content: described }).toEqual({ ...expected.get(path), content })
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  it('I7: what differs between any two revisions is what differs between two replays', async () => {
    await fc.assert(
      fc.asyncProperty(steps, looks, sizes, async (all, look, max) => {
        const { folder, events, reads } = await played(all, look)
        const revisions = events.map(({ revision }) => revision)
        const pairs = revisions.flatMap((to) =>
          (to % 3 === 0 ? [-1, ...revisions.filter((from) => from <= to && from % 2 === 1)] : []).map((from) => ({ from, to })),
        )
        for (const between of pairs)
          expectChanges(await allChanges(reads, folder, between, max), replay(events, between.from), replay(events, between.to))
      }),
      { numRuns: 20 },
    )
  })

  it('events by path, file, pattern, agent, account and type are those that a walk through the log finds', async () => {
    await fc.assert(
      fc.asyncProperty(steps, looks, sizes, async (all, look, max) => {
        const { folder, events, reads } = await played(all, look)
        const revisions = async (filter: EventFilter) => (await allEvents(reads, folder, filter, max)).map(({ revision }) => revision)
        const where = (isSo: (logged: Logged, paths: readonly string[]) => boolean) =>
          events
            .filter((logged) => isSo(logged, isFileEvent(logged.event) ? touched(logged.event, 0).map(({ path }) => path) : []))
            .map(({ revision }) => revision)
        const [agent] = events.flatMap(({ metadata }) => metadata.agent ?? [])
        const { path, fileId } = events.map(({ event }) => event).find(isFileEvent) ?? {}
        expect(await revisions({})).toEqual(events.map(({ revision }) => revision))
        expect(await revisions({ types: ['FileMoved', 'DeletionHeld'] })).toEqual(
          where(({ event }) => event.type === 'FileMoved' || event.type === 'DeletionHeld'),
        )
        for (const glob of ['a', 'd/*', '/d/e/**', '[ab]'])
          expect(await revisions({ where: { tag: 'glob', glob } })).toEqual(
            where((_, paths) => paths.some((each) => parseGlob(glob).matches(each as never))),
          )
        if (agent !== undefined) expect(await revisions({ agents: [agent] })).toEqual(where(({ metadata }) => metadata.agent === agent))
        const [account] = events.flatMap(({ metadata }) => metadata.account ?? [])
        if (account !== undefined)
          expect(await revisions({ accounts: [account] })).toEqual(where(({ metadata }) => metadata.account === account))
        if (path === undefined || fileId === undefined) return
        expect(await revisions({ where: { tag: 'path', path } })).toEqual(where((_, paths) => paths.includes(path)))
        expect(await revisions({ where: { tag: 'file', fileId } })).toEqual(
          where(({ event }) => isFileEvent(event) && event.fileId === fileId),
        )
      }),
      { numRuns: 20 },
    )
  })

  it('gives each event as it is in the log', async () => {
    const { folder, events, reads } = await played(fc.sample(anyStep, { numRuns: 40, seed: 3 }), 20_000)
    const found = await allEvents(reads, folder, {}, 1000)
    expect(found).toHaveLength(events.length)
    for (const [index, { revision, event, metadata }] of events.entries()) {
      const { time, clientTime, account, agent, proof } = metadata
      expect(found[index]).toMatchObject({ revision, type: event.type, time, proof })
      expect([found[index]?.clientTime, found[index]?.account, found[index]?.agent]).toEqual([clientTime, account, agent])
      const { type: _, ...own } = event
      if (!isFileEvent(event)) expect(JSON.parse(found[index]?.detail ?? '')).toEqual(own)
    }
  })

  it('the last revision at a moment is the one before the first event of a later moment', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { folder, events, reads } = await played(all, 20_000)
        const times = events.map(({ metadata }) => metadata.time)
        for (const time of new Set(times.flatMap((each) => [each - 1, each, each + 1]))) {
          const later = times.findIndex((each) => each > time)
          expect(await right(reads.revisionAt(folder, time))).toBe(later < 0 ? times.length - 1 : later - 1)
        }
      }),
      { numRuns: 8 },
    )
  })

  it('knows the names of folders, accounts and agents, and nothing of a folder that there is not', async () => {
    const { world, folder, reads } = await played([], 20_000)
    const names = readNames(world.gateway.followDatabase)
    expect(await right(names.folders())).toMatchObject([{ folder, name: 'default' }])
    expect((await right(names.agents())).map(({ name }) => name).toSorted()).toEqual(['device 1', 'device 2'])
    expect(await right(names.accounts())).toMatchObject([{ email: 'a@b.c' }])
    const other = 'f'.repeat(32) as FolderId
    expect(await right(reads.head(other))).toBe(-1)
    expect(await right(reads.tree(other, 5, undefined, 10))).toEqual({ entries: [], next: undefined })
    expect(await right(reads.touched(folder, 'never' as never, 5))).toBeUndefined()
  })
})
