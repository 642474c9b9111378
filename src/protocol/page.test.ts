import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { textFile } from '../../test/support/gateway.ts'
import { path } from '../../test/support/memory-tree.ts'
import type { FileId } from '../domain/events.ts'
import { sha256 } from './hash.ts'
import { parseJson, type JsonObject } from './json.ts'
import { decodePage, encodePage, MAX_PAGE_ENTRIES, type Page } from './page.ts'

// Of the right form.
const fileId = '0'.repeat(32) as FileId
const PAGE: Page = {
  from: 4,
  since: sha256('since'),
  chain: sha256('chain'),
  entries: [
    { path: path('gone'), version: 5, fileId, content: undefined },
    { path: path('new'), version: 5, fileId, content: textFile('new'), created: true },
  ],
  contents: [{ hash: sha256('new'), size: 3 }],
}

it('is read as it was written', () => {
  expect(decodePage(parseJson(JSON.stringify(encodePage(PAGE))) ?? null)).toEqual(E.right(PAGE))
  const first = { ...PAGE, from: -1, since: '' }
  expect(decodePage(encodePage(first))).toEqual(E.right(first))
})

const wrong: readonly (readonly [field: string, wrong: JsonObject])[] = [
  ['Page.From', { From: '4' }],
  ['Page.From', { From: -2 }],
  ['Page.Since', { Since: 'x' }],
  ['Page.Chain', { Chain: null }],
  ['Page.Changes', { Changes: [] }],
  ['Page.Changes.Deleted', { Changes: { Created: [], Updated: [], Deleted: Array.from({ length: MAX_PAGE_ENTRIES + 1 }, () => ({})) } }],
  ['Page.Contents[0][0]', { Contents: [['x', 1]] }],
  ['Page.Contents[0][1]', { Contents: [[sha256('new'), 0]] }],
]
it.each(wrong)('names the field that is wrong: %s', (field, fields) => {
  expect(decodePage({ ...encodePage(PAGE), ...fields })).toMatchObject({ left: { field } })
})

it('never throws, whatever it is given', () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => void decodePage(parseJson(JSON.stringify(json)) ?? null)))
})
