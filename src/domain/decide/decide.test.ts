import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { created, directory, file, fileId, link, memoryTree, path } from '../../../test/support/memory-tree.ts'
import type { Base, Change } from '../change.ts'
import type { Content } from '../content.ts'
import type { FolderEvent } from '../events.ts'
import { decide } from './decide.ts'

const put = (at: string, content: Content, base: Base): Change => ({
  tag: base === 'none' ? 'create' : 'update',
  path: path(at),
  content,
  base,
})
const remove = (at: string, base: Base): Change => ({ tag: 'delete', path: path(at), base })
const move = (from: string, to: string, content: Content, base: Base): Change => ({
  tag: 'move',
  from: path(from),
  path: path(to),
  content,
  base,
})

const updated = (at: string, id: number, base: number, content: Content): FolderEvent => ({
  type: 'FileUpdated',
  path: path(at),
  fileId: fileId(id),
  content,
  base,
})
const deleted = (at: string, id: number, base: number): FolderEvent => ({ type: 'FileDeleted', path: path(at), fileId: fileId(id), base })
const moved = (from: string, to: string, id: number, base: number, content: Content): FolderEvent => ({
  type: 'FileMoved',
  from: path(from),
  path: path(to),
  fileId: fileId(id),
  content,
  base,
})

type Then =
  | { readonly events: readonly FolderEvent[] }
  | { readonly already: number; readonly at?: string }
  | { readonly refused: string; readonly present?: number }

interface Case {
  readonly name: string
  readonly given: readonly FolderEvent[]
  readonly when: Change
  readonly then: Then
}

const X = file('X')
const Y = file('Y')
const Z = file('Z')
const touchedX = file('X', '2000000')

const cases: readonly Case[] = [
  { name: 'a new file', given: [], when: put('a', X, 'none'), then: { events: [created('a', 0, X)] } },
  {
    name: 'I18: missing parents are made first, outermost first',
    given: [],
    when: put('d/e/a', X, 'none'),
    then: { events: [created('d', 0, directory), created('d/e', 1, directory), created('d/e/a', 2, X)] },
  },
  {
    name: 'a parent that was deleted is made again',
    given: [created('d', 0, directory), deleted('d', 0, 0)],
    when: put('d/a', X, 'none'),
    then: { events: [created('d', 2, directory), created('d/a', 3, X)] },
  },
  {
    name: 'I18: nothing lives under a file',
    given: [created('d', 0, X)],
    when: put('d/a', Y, 'none'),
    then: { refused: 'tree', present: 0 },
  },
  {
    name: 'I18: nothing lives under a symlink',
    given: [created('d', 0, link('e'))],
    when: put('d/b/a', Y, 'none'),
    then: { refused: 'tree', present: 0 },
  },
  { name: 'I13: same bytes under no base', given: [created('a', 0, X)], when: put('a', touchedX, 'none'), then: { already: 0 } },
  { name: 'other bytes under no base', given: [created('a', 0, X)], when: put('a', Y, 'none'), then: { refused: 'stale', present: 0 } },
  {
    name: 'an older version under no base',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: put('a', X, 'none'),
    then: { refused: 'known', present: 1 },
  },
  {
    name: 'a deleted path under no base is new, whatever it held',
    given: [created('a', 0, X), deleted('a', 0, 0)],
    when: put('a', X, 'none'),
    then: { events: [created('a', 2, X)] },
  },
  {
    name: 'any base: the last writer wins',
    given: [created('a', 0, X)],
    when: put('a', Y, 'any'),
    then: { events: [updated('a', 0, 0, Y)] },
  },
  { name: 'any base: a new path', given: [], when: put('a', Y, 'any'), then: { events: [created('a', 0, Y)] } },
  { name: 'an edit of the present version', given: [created('a', 0, X)], when: put('a', Y, 0), then: { events: [updated('a', 0, 0, Y)] } },
  { name: 'nothing new', given: [created('a', 0, X)], when: put('a', X, 0), then: { already: 0 } },
  {
    name: 'metadata of the present version',
    given: [created('a', 0, X)],
    when: put('a', touchedX, 0),
    then: { events: [updated('a', 0, 0, touchedX)] },
  },
  {
    name: 'I13: metadata of a version with the present bytes',
    given: [created('a', 0, X), updated('a', 0, 0, touchedX)],
    when: put('a', file('X', '3000000'), 0),
    then: { already: 1 },
  },
  {
    name: 'I13: an edit when only the metadata moved on',
    given: [created('a', 0, X), updated('a', 0, 0, touchedX)],
    when: put('a', Y, 0),
    then: { events: [updated('a', 0, 1, Y)] },
  },
  {
    name: 'an edit of an older version',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: put('a', Z, 0),
    then: { refused: 'stale', present: 1 },
  },
  { name: 'both made the same edit', given: [created('a', 0, X), updated('a', 0, 0, Y)], when: put('a', Y, 0), then: { already: 1 } },
  {
    name: 'metadata of an older version',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: put('a', touchedX, 0),
    then: { refused: 'known', present: 1 },
  },
  {
    name: 'content of a version since base',
    given: [created('a', 0, X), updated('a', 0, 0, Y), updated('a', 0, 1, Z)],
    when: put('a', Y, 0),
    then: { refused: 'known', present: 2 },
  },
  {
    name: 'content of a version before base is an edit',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: put('a', X, 1),
    then: { events: [updated('a', 0, 1, X)] },
  },
  {
    name: 'I4: an edit that the deleter had not seen',
    given: [created('a', 0, X), deleted('a', 0, 0)],
    when: put('a', Y, 0),
    then: { events: [created('a', 2, Y)] },
  },
  {
    name: 'metadata of a deleted version',
    given: [created('a', 0, X), deleted('a', 0, 0)],
    when: put('a', touchedX, 0),
    then: { refused: 'known', present: 1 },
  },
  {
    name: 'an edit of a moved file lands at its new path',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X)],
    when: put('a', Y, 0),
    then: { events: [updated('b', 0, 1, Y)] },
  },
  {
    name: 'I3: a folder made in the place of a moved file stays where it was made',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X)],
    when: put('a', directory, 0),
    then: { events: [created('a', 2, directory)] },
  },
  {
    name: 'so it does when it was moved twice',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X), moved('b', 'c', 0, 1, X)],
    when: put('a', Y, 0),
    then: { events: [updated('c', 0, 2, Y)] },
  },
  {
    name: 'so it does when another file took the old path',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X), created('a', 2, Z)],
    when: put('a', Y, 0),
    then: { events: [updated('b', 0, 1, Y)] },
  },
  {
    name: 'metadata of a moved file',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X)],
    when: put('a', touchedX, 0),
    then: { already: 1, at: 'b' },
  },
  {
    name: 'an edit of a file that was moved and edited',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X), updated('b', 0, 1, Z)],
    when: put('a', Y, 0),
    then: { refused: 'stale', present: 2 },
  },
  {
    name: 'an edit of a file that was moved and deleted',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X), deleted('b', 0, 1)],
    when: put('a', Y, 0),
    then: { events: [created('a', 3, Y)] },
  },
  {
    name: 'a base that is no version of the path',
    given: [created('a', 0, X), created('b', 1, Y)],
    when: put('a', Z, 1),
    then: { refused: 'stale', present: 0 },
  },
  { name: 'a base beyond the log', given: [created('a', 0, X)], when: put('a', Z, 7), then: { refused: 'stale', present: 0 } },
  {
    name: 'a file in the place of an empty folder',
    given: [created('d', 0, directory)],
    when: put('d', X, 0),
    then: { events: [updated('d', 0, 0, X)] },
  },
  {
    name: 'I18: a folder with something in it is not replaced',
    given: [created('d', 0, directory), created('d/a', 1, X)],
    when: put('d', X, 0),
    then: { refused: 'tree', present: 0 },
  },
  {
    name: 'I18: nor by the last writer',
    given: [created('d', 0, directory), created('d/a', 1, X)],
    when: put('d', X, 'any'),
    then: { refused: 'tree', present: 0 },
  },
  {
    name: 'a folder in the place of a file',
    given: [created('d', 0, X)],
    when: put('d', directory, 0),
    then: { events: [updated('d', 0, 0, directory)] },
  },
  {
    name: 'I13: a folder that is there',
    given: [created('d', 0, directory)],
    when: put('d', { ...directory, modified: '5' }, 'none'),
    then: { already: 0 },
  },
  { name: 'a deletion', given: [created('a', 0, X)], when: remove('a', 0), then: { events: [deleted('a', 0, 0)] } },
  {
    name: 'I4: a deletion of an older version',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: remove('a', 0),
    then: { refused: 'stale', present: 1 },
  },
  { name: 'a deletion without a base', given: [created('a', 0, X)], when: remove('a', 'none'), then: { refused: 'stale', present: 0 } },
  {
    name: 'a deletion by the last writer',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: remove('a', 'any'),
    then: { events: [deleted('a', 0, 1)] },
  },
  { name: 'a deletion of what is deleted', given: [created('a', 0, X), deleted('a', 0, 0)], when: remove('a', 0), then: { already: 1 } },
  {
    name: 'a deletion of what was moved leaves it',
    given: [created('a', 0, X), moved('a', 'b', 0, 0, X)],
    when: remove('a', 0),
    then: { already: 1 },
  },
  { name: 'a deletion of what never was', given: [], when: remove('a', 0), then: { refused: 'notFound' } },
  {
    name: 'an empty folder goes',
    given: [created('d', 0, directory), created('d/a', 1, X), deleted('d/a', 1, 1)],
    when: remove('d', 0),
    then: { events: [deleted('d', 0, 0)] },
  },
  {
    name: 'I18: a folder with something in it stays',
    given: [created('d', 0, directory), created('d/a', 1, X)],
    when: remove('d', 0),
    then: { refused: 'tree', present: 0 },
  },
  {
    name: 'a sibling with the same beginning is not inside',
    given: [created('d', 0, directory), created('d.a', 1, X)],
    when: remove('d', 0),
    then: { events: [deleted('d', 0, 0)] },
  },
  { name: 'a move keeps the id', given: [created('a', 0, X)], when: move('a', 'b', X, 0), then: { events: [moved('a', 'b', 0, 0, X)] } },
  {
    name: 'a move makes the parents',
    given: [created('a', 0, X)],
    when: move('a', 'd/b', X, 0),
    then: { events: [created('d', 1, directory), moved('a', 'd/b', 0, 0, X)] },
  },
  {
    name: 'a move of an older version',
    given: [created('a', 0, X), updated('a', 0, 0, Y)],
    when: move('a', 'b', X, 0),
    then: { refused: 'stale', present: 1 },
  },
  {
    name: 'I13: a move when only the metadata moved on',
    given: [created('a', 0, X), updated('a', 0, 0, touchedX)],
    when: move('a', 'b', X, 0),
    then: { events: [moved('a', 'b', 0, 1, X)] },
  },
  {
    name: 'a move of what is gone',
    given: [created('a', 0, X), deleted('a', 0, 0)],
    when: move('a', 'b', X, 0),
    then: { refused: 'stale', present: 1 },
  },
  {
    name: 'a move of what another moved',
    given: [created('a', 0, X), moved('a', 'c', 0, 0, X)],
    when: move('a', 'b', X, 0),
    then: { refused: 'stale', present: 1 },
  },
  {
    name: 'a move onto the same bytes is an update plus a deletion',
    given: [created('a', 0, X), created('b', 1, X)],
    when: move('a', 'b', X, 0),
    then: { events: [deleted('a', 0, 0), updated('b', 1, 1, X)] },
  },
  {
    name: 'a move onto other bytes',
    given: [created('a', 0, X), created('b', 1, Y)],
    when: move('a', 'b', X, 0),
    then: { refused: 'stale', present: 1 },
  },
  {
    name: 'I18: a move under a file',
    given: [created('a', 0, X), created('b', 1, Y)],
    when: move('a', 'b/c', X, 0),
    then: { refused: 'tree', present: 1 },
  },
  { name: 'I18: a move under itself', given: [created('a', 0, X)], when: move('a', 'a/b', X, 0), then: { refused: 'tree', present: 0 } },
  {
    name: 'folders do not move',
    given: [created('d', 0, directory)],
    when: move('d', 'e', directory, 0),
    then: { refused: 'tree', present: 0 },
  },
  {
    name: 'a held deletion is told',
    given: [],
    when: { tag: 'hold', count: 12, reason: 'everything' },
    then: { events: [{ type: 'DeletionHeld', count: 12, reason: 'everything' }] },
  },
  {
    name: 'an approved deletion is told',
    given: [],
    when: { tag: 'approve', count: 12 },
    then: { events: [{ type: 'DeletionApproved', count: 12 }] },
  },
]

describe('decide', () => {
  it.each(cases)('$name', ({ given, when, then }) => {
    const decided = decide(memoryTree(given), when)
    if ('refused' in then) {
      if (E.isRight(decided)) expect.fail(`not refused: ${JSON.stringify(decided.right)}`)
      expect({ code: decided.left.code, present: decided.left.present?.revision }).toEqual({ code: then.refused, present: then.present })
    } else if ('already' in then) {
      expect(decided).toMatchObject(
        E.right({ tag: 'already', revision: then.already, ...(then.at === undefined ? {} : { path: then.at }) }),
      )
    } else {
      expect(decided).toMatchObject(E.right({ tag: 'made', events: then.events }))
    }
  })
})
