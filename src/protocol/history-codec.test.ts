import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accounts, agentKeys, contents, fileIds, folders, paths, revisions, words } from '../../test/support/protocol-arbitraries.ts'
import type { HistoryEntry, HistoryEvent, HistoryQuery, HistoryResult } from '../domain/history.ts'
import { decodeHistoryResult, encodeHistoryResult } from './history-result.ts'
import type { Json } from './json.ts'
import { decodeLogPage, encodeLogPage } from './log-page.ts'
import { decodeRequest, encodeRequest } from './request.ts'

const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })
const ask = <A extends string>(name: A) => fc.constant(name)
const rows = fc.integer({ min: 1, max: 2000 })
const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json

const filters = fc.record(
  {
    where: fc.oneof(
      fc.record({ tag: ask('path'), path: paths }),
      fc.record({ tag: ask('file'), fileId: fileIds }),
      fc.record({ tag: ask('glob'), glob: words }),
    ),
    agents: fc.array(agentKeys, { minLength: 1, maxLength: 3 }),
    accounts: fc.array(accounts, { minLength: 1, maxLength: 3 }),
    types: fc.array(words, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [] },
)

const queries: fc.Arbitrary<HistoryQuery> = fc.oneof(
  fc.record({ ask: ask('head') }),
  fc.record({ ask: ask('revisionAt'), time: fc.nat() }),
  fc.record({
    ask: ask('events'),
    query: fc.tuple(filters, revisions, revisions, rows).map(([filter, from, to, max]) => ({ ...filter, from, to, max })),
  }),
  fc.record({ ask: ask('touched'), path: paths, at: revisions }),
  fc.record({ ask: ask('tree'), at: revisions, after: optional(paths), max: rows }),
  fc.record({ ask: ask('changes'), between: fc.record({ from: revisions, to: revisions }), after: optional(paths), max: rows }),
  fc.record({ ask: ask('checkpoint') }),
  fc.record({ ask: ask('released'), versions: fc.array(revisions, { maxLength: 3 }) }),
)

const described = contents.map(({ kind, size, hash, executable, modified }) => ({ kind, size, hash, executable, modified }))
const common = {
  revision: revisions,
  type: fc.constantFrom('FileCreated' as const, 'FileUpdated' as const),
  time: fc.nat(),
  clientTime: optional(fc.nat()),
  account: optional(accounts),
  agent: optional(agentKeys),
  proof: fc.constantFrom('signed' as const, 'password' as const, 'gateway' as const),
  from: optional(paths),
  detail: optional(words),
}
const events: fc.Arbitrary<HistoryEvent> = fc.record({
  ...common,
  path: optional(paths),
  fileId: optional(fileIds),
  content: optional(described),
})
const entries: fc.Arbitrary<HistoryEntry> = fc.record({ ...common, path: paths, fileId: fileIds, content: described })

const results: fc.Arbitrary<HistoryResult> = fc.oneof(
  fc.record({ ask: fc.constantFrom('head' as const, 'revisionAt' as const), revision: fc.integer({ min: -1, max: 9 }) }),
  fc.record({ ask: ask('events'), page: fc.record({ events: fc.array(events, { maxLength: 3 }), next: optional(revisions) }) }),
  fc.record({ ask: ask('touched'), event: optional(events) }),
  fc.record({ ask: ask('checkpoint'), text: words }),
  fc.record({ ask: ask('released'), released: fc.array(fc.record({ version: revisions, time: fc.nat() }), { maxLength: 3 }) }),
  fc.record({ ask: ask('tree'), page: fc.record({ entries: fc.array(entries, { maxLength: 3 }), next: optional(paths) }) }),
  fc.record({
    ask: ask('changes'),
    page: fc.record({
      changes: fc.array(
        fc.record({ path: paths, before: optional(entries), after: optional(entries), cameFrom: optional(paths), wentTo: optional(paths) }),
        { maxLength: 3 },
      ),
      next: optional(paths),
    }),
  }),
)

describe('questions about history', () => {
  test('read back as they were asked', () => {
    fc.assert(
      fc.property(queries, agentKeys, folders, (query, key, folder) => {
        const request = { tag: 'Audit' as const, key, folder, query }
        expect(decodeRequest(asJson(encodeRequest(request, 1)), false)).toEqual(E.right(request))
      }),
    )
  })

  test('and their results as they were answered', () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(decodeHistoryResult(result.ask, asJson(encodeHistoryResult(result)))).toEqual(E.right(result))
      }),
    )
  })

  test('that are none are refused, whatever they are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom<HistoryQuery['ask']>('events', 'tree', 'changes', 'head'), (json, asked) => {
        const read = decodeHistoryResult(asked, json as Json)
        if (E.isLeft(read)) expect(read.left.tag).toBe('BadMessage')
      }),
    )
  })
})

test('a page of the log reads back byte for byte; what is none is refused', () => {
  const record = fc.record({ revision: revisions, id: words, type: words, data: fc.string(), metadata: fc.string(), chain: words })
  fc.assert(
    fc.property(fc.array(record), (page) => {
      expect(decodeLogPage(encodeLogPage(page))).toEqual(E.right(page))
    }),
  )
  expect(decodeLogPage(Buffer.from('[1,"id"]\n'))).toMatchObject({ left: { field: 'line 1' } })
})
