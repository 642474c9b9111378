import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchHeads, changes, chunks, entries, outcomes } from '../../test/support/protocol-arbitraries.ts'
import { decodeAnswer, encodeAnswer } from './answer.ts'
import { signBatch } from './batch.ts'
import { decodeChange, encodeChange } from './change-codec.ts'
import {
  decodeAccountEvent,
  decodeAgentEvent,
  decodeFolderEvent,
  decodeMetadata,
  decodePacksEvent,
  type EventError,
} from './event-codec.ts'
import type { ProtocolError } from './error.ts'
import type { Json } from './json.ts'
import { ACTIONS, type Request } from './messages.ts'
import { decodeRequest, encodeRequest } from './request.ts'
import { createKeyPair } from './signing.ts'

const signer = createKeyPair(Buffer.alloc(32, 1))
// Generated values are JSON.
const anything = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
const reparsed = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json

const REQUEST_TAGS = [
  'Changes',
  'Sync',
  'Open',
  'Missing',
  'Agents',
  'Plain',
  'RegisterAgent',
  'Bytes',
] as const satisfies readonly Request['tag'][]
const EVENT_TYPES = [
  'FolderCreated',
  'FileCreated',
  'FileUpdated',
  'FileMoved',
  'FileDeleted',
  'DeletionHeld',
  'DeletionApproved',
  'AccountRegistered',
  'AgentRegistered',
  'PackStored',
  'AgentSynced',
]

type Decoded = E.Either<ProtocolError | EventError, unknown>

/** Every decoder over one value; its lefts name a field (or, for events, the type that is unknown). */
const decodeAll = (json: Json): readonly Decoded[] => [
  decodeChange(json, 'change'),
  decodeRequest(json, true),
  decodeRequest(json, false),
  ...REQUEST_TAGS.map((tag) => decodeAnswer(tag, json)),
  decodeMetadata(JSON.stringify(json)),
  ...[decodeFolderEvent, decodeAccountEvent, decodePacksEvent, decodeAgentEvent].flatMap((decode) =>
    EVENT_TYPES.map((type) => decode({ type, data: JSON.stringify(json) })),
  ),
]

const expectClear = (result: Decoded): void => {
  if (E.isRight(result) || result.left.tag === 'UnknownEvent') return
  expect(result.left.field).not.toBe('')
  expect(result.left.reason).not.toBe('')
}

/** The value with something else at one of its places, found by `pick` at every level. */
const altered = (json: Json, picks: readonly number[], replacement: Json): Json => {
  const [pick, ...rest] = picks
  if (pick === undefined || typeof json !== 'object' || json === null) return replacement
  const keys = Object.keys(json)
  const key = keys[pick % Math.max(keys.length, 1)]
  if (key === undefined) return replacement
  if (Array.isArray(json)) return (json as readonly Json[]).map((item, i) => (String(i) === key ? altered(item, rest, replacement) : item))
  return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, name === key ? altered(item, rest, replacement) : item]))
}

const valid: fc.Arbitrary<Json> = fc.oneof(
  changes.map((change) => reparsed(encodeChange(change))),
  fc
    .tuple(batchHeads(signer.key), fc.array(changes, { minLength: 1, maxLength: 4 }), fc.array(chunks, { maxLength: 1 }))
    .map(([head, list, contents]) =>
      reparsed(encodeRequest({ tag: 'Changes', key: signer.key, batch: signBatch(head, list, signer, 1, contents) }, 1)),
    ),
  fc
    .array(entries)
    .map((list) =>
      reparsed(encodeAnswer({ tag: 'Synced', status: 200, entries: list, position: 1, chain: '', since: '', head: 1, more: false }, 1)),
    ),
  fc
    .array(outcomes)
    .map((list) => reparsed(encodeAnswer({ tag: 'Changed', status: 200, outcomes: list, position: 1, receipt: undefined }, 1))),
)

describe('every decoder', () => {
  test('survives any JSON, and names the field that is wrong', () => {
    fc.assert(
      fc.property(anything, (json) => decodeAll(json).forEach(expectClear)),
      { numRuns: 300 },
    )
  })

  test('survives any fields beside a known action', () => {
    const message = fc.tuple(
      fc.constantFrom(...ACTIONS),
      fc.dictionary(fc.constantFrom('Agent', 'File', 'Changes', 'Folder', 'Contents', 'Files', 'Chunks', 'Position'), anything),
    )
    fc.assert(
      fc.property(message, ([action, fields]) => decodeAll({ ...fields, Action: action }).forEach(expectClear)),
      { numRuns: 500 },
    )
  })

  test('survives a valid message with something else at one place', () => {
    const replacement = fc.oneof(anything, fc.constantFrom<Json>(-1, 1.5, 2 ** 60, '', '..', '\0', null, [], {}))
    fc.assert(
      fc.property(valid, fc.array(fc.nat({ max: 1000 }), { maxLength: 6 }), replacement, (json, picks, other) =>
        decodeAll(altered(json, picks, other)).forEach(expectClear),
      ),
      { numRuns: 1000 },
    )
  })

  test('survives depth that would exhaust the stack', () => {
    const deep = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)) as Json
    for (const place of [[], ['Changes'], ['File'], ['Agent']]) {
      const json = place.reduceRight<Json>((inner, field) => ({ Action: 'Changes', [field]: inner }), deep)
      for (const plain of [true, false]) expectClear(decodeRequest(json, plain))
    }
    expectClear(decodeChange({ Action: 'Create', File: { OriginalName: 'a', Chunks: deep, Base: deep } }, 'change'))
    expectClear(decodeChange({ Action: 'Approve', Count: 1, More: deep }, 'change'))
  })
})
