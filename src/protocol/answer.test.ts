import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accounts,
  agentKeys,
  chains,
  chunks,
  entries,
  folders,
  hashes,
  outcomes,
  paths,
  revisions,
  words,
} from '../../test/support/protocol-arbitraries.ts'
import { decodeAnswer, encodeAnswer } from './answer.ts'
import type { Json, JsonObject } from './json.ts'
import { CODES, type Answer, type Code, type Request } from './messages.ts'

const overWire = (answer: Answer): Json => JSON.parse(JSON.stringify(encodeAnswer(answer, 12.5))) as Json

const ok = { status: fc.constant(200 as const) }
const tag = <T extends string>(name: T) => fc.constant(name)
// The names of a record are its keys.
const codes = fc.constantFrom(...(Object.keys(CODES) as Code[]))
const receipts = fc.record({
  statement: words,
  index: fc.nat(),
  size: fc.nat(),
  path: fc.array(hashes, { maxLength: 10 }),
  signature: words,
})

/** In the order that a decoder gives: by version, the deleted first; live ones say whether they are new. */
const synced = fc
  .record({
    tag: tag('Synced'),
    ...ok,
    entries: fc.uniqueArray(entries, { selector: (entry) => entry.version, maxLength: 20 }),
    position: fc.integer({ min: -1 }),
    chain: chains,
    since: chains,
    head: fc.integer({ min: -1 }),
    more: fc.boolean(),
  })
  .map((answer) => ({
    ...answer,
    entries: answer.entries
      .toSorted((a, b) => a.version - b.version)
      .map((entry) => (entry.content !== undefined && entry.version % 2 === 0 ? { ...entry, created: true } : entry)),
  }))

const pair = (request: Request['tag'], answers: fc.Arbitrary<Answer>) => answers.map((answer) => [request, answer] as const)

const pairs = fc.oneof(
  pair('SignIn', fc.record({ tag: tag('Done'), ...ok })),
  pair(
    'RegisterAgent',
    fc.record({ tag: tag('Registered'), ...ok, account: accounts, folder: folders, gatewayKey: words.filter((text) => text.length <= 44) }),
  ),
  pair(
    'Changes',
    fc.record({
      tag: tag('Changed'),
      ...ok,
      outcomes: fc.array(outcomes),
      position: revisions,
      receipt: fc.option(receipts, { nil: undefined }),
    }),
  ),
  pair('Changes', fc.record({ tag: tag('SendChunks'), status: fc.constant(100 as const), missing: fc.array(hashes) })),
  pair('Missing', fc.record({ tag: tag('MissingChunks'), ...ok, missing: fc.array(hashes) })),
  pair('Sync', synced),
  pair('Plain', synced),
  pair('Open', fc.record({ tag: tag('Opened'), ...ok, chunks: fc.array(chunks), missing: fc.array(hashes) })),
  pair('Plain', fc.record({ tag: tag('OpenedFile'), ...ok, path: paths, size: fc.nat() })),
  pair(
    'Agents',
    fc.record({
      tag: tag('AgentList'),
      ...ok,
      agents: fc.array(fc.record({ key: agentKeys, name: words, registered: words, revoked: fc.boolean(), self: fc.boolean() })),
    }),
  ),
  pair(
    'Synced',
    fc.record({
      tag: tag('Refused'),
      status: fc.constantFrom(400, 403, 404, 409, 413, 423, 429, 500, 503, 507),
      code: codes,
      reason: words,
    }),
  ),
)

describe('answers', () => {
  test('read back what was written', () => {
    fc.assert(
      fc.property(pairs, ([request, answer]) => {
        expect(decodeAnswer(request, overWire(answer))).toEqual(E.right(answer))
      }),
    )
  })

  const DONE: JsonObject = { Action: 'ServerResponse', Timestamp: 1, Status: 200 }

  test.each<[string, Request['tag'], Json, string]>([
    ['nothing', 'Sync', null, 'message'],
    ['no answer', 'Sync', { Status: 200 }, 'Action'],
    ['an unknown status', 'Sync', { ...DONE, Status: 302 }, 'Status'],
    ['a refusal without a code', 'Sync', { ...DONE, Status: 403, Reason: 'x' }, 'Code'],
    ['a refusal with an unknown code', 'Sync', { ...DONE, Status: 403, Code: 'toString', Reason: 'x' }, 'Code'],
    ["another request's answer", 'Sync', { ...DONE, Missing: [] }, 'Changes'],
    ['a wish for chunks that nobody offered', 'Sync', { ...DONE, Status: 100, Missing: [] }, 'Status'],
    [
      'an entry outside the folder',
      'Sync',
      { ...DONE, Changes: { Created: [{ OriginalName: '/x' }], Updated: [], Deleted: [] } },
      'Changes.Created[0].OriginalName',
    ],
  ])('refuse %s, and name the field', (_, request, json, field) => {
    expect(decodeAnswer(request, json)).toMatchObject({ left: { tag: 'BadMessage', field } })
  })

  test("a Sync answer has the shape of PySync's documents", () => {
    fc.assert(
      fc.property(synced, (answer) => {
        // Its lists are made by `encodeSynced`.
        const changes = encodeAnswer(answer, 1)['Changes'] as Record<string, readonly JsonObject[]>
        expect(Object.keys(changes)).toEqual(['Created', 'Updated', 'Deleted'])
        for (const item of Object.values(changes).flat()) {
          expect(typeof item['OriginalName']).toBe('string')
          expect(item['Size']).toMatch(/^\d+$/)
        }
      }),
    )
  })
})
