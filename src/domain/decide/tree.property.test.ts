import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { directory, file, link, memoryTree, path } from '../../../test/support/memory-tree.ts'
import type { Change } from '../change.ts'
import type { FolderEvent } from '../events.ts'
import { parentOf } from '../path.ts'
import { decide } from './decide.ts'
import { overlay } from './overlay.ts'
import { isLive } from './view.ts'

const paths = ['a', 'b', 'd', 'd/a', 'd/b', 'd/e', 'd/e/a', 'a/b', 'd/e/f/g'].map(path)
const anyPath = fc.constantFrom(...paths)
const anyContent = fc.constantFrom(file('X'), file('Y'), file('Y', '2000000'), link('X'), directory)
const anyBase = fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 12 }) }, fc.constantFrom('none' as const, 'any' as const))
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ tag: fc.constant('create' as const), path: anyPath, content: anyContent, base: anyBase }),
  fc.record({ tag: fc.constant('move' as const), from: anyPath, path: anyPath, content: anyContent, base: anyBase }),
  fc.record({ tag: fc.constant('delete' as const), path: anyPath, base: anyBase }),
)
const anyBatches = fc.array(fc.array(anyChange, { minLength: 1, maxLength: 6 }), { maxLength: 12 })

const expectTree = (events: readonly FolderEvent[]): void => {
  const { entries } = memoryTree(events)
  const ids = new Set<string>()
  for (const entry of entries.values()) {
    if (!isLive(entry)) continue
    expect(ids.has(entry.fileId), `two paths of one file: ${entry.path}`).toBe(false)
    ids.add(entry.fileId)
    const parent = parentOf(entry.path)
    if (parent !== undefined) expect(entries.get(parent)?.content?.kind, `the parent of ${entry.path}`).toBe('directory')
  }
}

describe('decisions in batches', () => {
  it('I18: after every event the tree is a tree, and each file has one path', () => {
    fc.assert(
      fc.property(anyBatches, (batches) => {
        const events: FolderEvent[] = []
        for (const batch of batches) {
          const view = overlay(memoryTree(events))
          for (const change of batch) {
            const decided = decide(view, change)
            if (E.isLeft(decided) || decided.right.tag === 'already') continue
            view.apply(decided.right.events)
            for (const event of decided.right.events) {
              events.push(event)
              expectTree(events)
            }
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('an overlay answers as the tree with its events appended', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 12 }), fc.nat(12), (changes, cut) => {
        const before: FolderEvent[] = []
        const all: FolderEvent[] = []
        const view = overlay(memoryTree([]))
        changes.forEach((change, index) => {
          const decided = decide(view, change)
          if (E.isLeft(decided) || decided.right.tag === 'already') return
          view.apply(decided.right.events)
          all.push(...decided.right.events)
          if (index < cut) before.push(...decided.right.events)
        })
        const whole = memoryTree(all)
        const layered = overlay(memoryTree(before))
        const mark = layered.mark()
        layered.apply(all.slice(before.length))
        expectSame(layered, whole)
        layered.rewind(mark)
        expectSame(layered, memoryTree(before))
      }),
      { numRuns: 500 },
    )
  })
})

const expectSame = (view: ReturnType<typeof overlay>, whole: ReturnType<typeof memoryTree>): void => {
  expect(view.next).toBe(whole.next)
  for (const at of paths) {
    expect(view.get(at)).toEqual(whole.get(at))
    expect(view.hasLiveUnder(at)).toBe(whole.hasLiveUnder(at))
  }
  for (const entry of whole.entries.values()) expect(view.live(entry.fileId)).toEqual(whole.live(entry.fileId))
}
