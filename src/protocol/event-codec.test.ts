import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AccountEvent, AgentEvent, FileEvent, FolderEvent, PackEvent } from '../domain/events.ts'
import {
  accounts,
  agentKeys,
  batchHeads,
  changes,
  contents,
  epochs,
  fileIds,
  folders,
  hashes,
  outcomes,
  paths,
  refusals,
  revisions,
  words,
} from '../../test/support/protocol-arbitraries.ts'
import { signBatch } from './batch.ts'
import { canonical } from './canonical.ts'
import { encodeChange } from './change-codec.ts'
import {
  decodeAccountEvent,
  decodeAgentEvent,
  decodeFolderEvent,
  decodeMetadata,
  decodePacksEvent,
  encodeAccountEvent,
  encodeAgentEvent,
  encodeFileEvent,
  encodeFolderEvent,
  encodeMetadata,
  encodePackEvent,
} from './event-codec.ts'
import { readVersioned, type Upcast } from './event-error.ts'
import { createKeyPair } from './signing.ts'

const signer = createKeyPair(Buffer.alloc(32, 1))
const type = <T extends string>(name: T) => fc.constant(name)

const fileEvents: fc.Arbitrary<FileEvent> = fc.oneof(
  fc.record({ type: type('FileCreated'), path: paths, fileId: fileIds, content: contents }),
  fc.record({ type: type('FileUpdated'), path: paths, fileId: fileIds, content: contents, base: revisions }),
  fc.record({ type: type('FileMoved'), from: paths, path: paths, fileId: fileIds, content: contents, base: revisions }),
  fc.record({ type: type('FileDeleted'), path: paths, fileId: fileIds, base: revisions }),
)
const folderEvents: fc.Arbitrary<FolderEvent> = fc.oneof(
  fileEvents,
  fc.record({ type: type('FolderCreated'), account: accounts, name: words }),
  fc.record({ type: type('DeletionHeld'), count: fc.nat(), reason: words }),
  fc.record({ type: type('DeletionApproved'), count: fc.nat() }),
)

describe('events of a folder', () => {
  test('read back what was written, without a change', () => {
    fc.assert(
      fc.property(folderEvents, fc.option(fc.nat(), { nil: undefined }), (event, because) => {
        expect(decodeFolderEvent(encodeFolderEvent(event, undefined, because))).toEqual(E.right(event))
      }),
    )
  })

  test('read back what was written, whatever change is embedded, and hold it byte for byte', () => {
    fc.assert(
      fc.property(fileEvents, changes, (event, change) => {
        const text = canonical(encodeChange(change))
        const encoded = encodeFileEvent(event, { canonical: text })
        expect(encodeFileEvent(event, { canonical: text, change })).toEqual(encoded)
        expect(encoded.data.endsWith(`,"change":${text}}`)).toBe(true)
        expect(decodeFolderEvent(encoded)).toEqual(E.right(event))
      }),
    )
  })

  test('do not repeat what their change says', () => {
    fc.assert(
      fc.property(paths, contents, fileIds, revisions, (path, content, fileId, base) => {
        const change = { tag: 'update' as const, path, content, base }
        const { data } = encodeFileEvent(
          { type: 'FileUpdated', path, content, fileId, base },
          { canonical: canonical(encodeChange(change)), change },
        )
        expect(Object.keys(JSON.parse(data) as object)).toEqual(['v', 'fileId', 'change'])
      }),
    )
  })

  test('that are not understood are lefts, never skipped', () => {
    expect(decodeFolderEvent({ type: 'FolderPainted', data: '{}' })).toEqual(
      E.left({ tag: 'UnknownEvent', type: 'FolderPainted', version: 0 }),
    )
    expect(decodeFolderEvent({ type: 'FileDeleted', data: '{"v":99}' })).toEqual(
      E.left({ tag: 'UnknownEvent', type: 'FileDeleted', version: 99 }),
    )
    expect(decodeFolderEvent({ type: 'FileDeleted', data: '{' })).toMatchObject({ left: { tag: 'BadEvent' } })
    expect(decodeFolderEvent({ type: 'FileDeleted', data: '{"v":1}' })).toMatchObject({ left: { tag: 'BadEvent', field: 'fileId' } })
    expect(decodeFolderEvent({ type: 'FileDeleted', data: '{}' })).toMatchObject({ left: { tag: 'BadEvent', field: 'v' } })
    expect(decodeFolderEvent({ type: 'toString', data: '{"v":1}' })).toMatchObject({ left: { tag: 'UnknownEvent' } })
  })

  test('of an older version are brought up step by step', () => {
    const upcasts: Upcast[] = [(_, fields) => ({ ...fields, second: 2 }), (_, fields) => ({ ...fields, third: 3 })]
    const read = (text: string) => readVersioned('X', text, (_, fields) => [fields.raw('second'), fields.raw('third')], upcasts)
    expect(read('{"v":1}')).toEqual(E.right([2, 3]))
    expect(read('{"v":2,"second":"own"}')).toEqual(E.right(['own', 3]))
    expect(read('{"v":3}')).toEqual(E.right([undefined, undefined]))
    expect(read('{"v":4}')).toMatchObject({ left: { tag: 'UnknownEvent', version: 4 } })
  })
})

const accountEvents: fc.Arbitrary<AccountEvent> = fc.oneof(
  fc.record({ type: type('AccountRegistered'), account: accounts, email: words, verifier: words }),
  fc.record({
    type: type('AgentRegistered'),
    account: accounts,
    agent: agentKeys,
    name: words,
    publicKey: fc.option(words),
    vouchedBy: fc.oneof(agentKeys, fc.constant('operator' as const)),
    countersignature: fc.option(words),
  }),
  fc.record({ type: type('AgentRenamed'), agent: agentKeys, name: words }),
  fc.record({ type: type('AgentRevoked'), agent: agentKeys, reason: words }),
  fc.record({ type: type('SignInsRefused'), account: accounts, ...refusals }),
)
const packEvents: fc.Arbitrary<PackEvent> = fc.record({
  type: type('PackStored'),
  pack: words,
  entries: fc.array(fc.record({ hash: hashes, offset: fc.nat(), size: fc.nat({ max: 4 * 1024 * 1024 }) })),
})
const agentEvents: fc.Arbitrary<AgentEvent> = fc.record({
  type: type('AgentSynced'),
  agent: agentKeys,
  folder: folders,
  position: revisions,
  chain: hashes,
  signature: words,
})

describe('events of other streams', () => {
  test('read back what was written', () => {
    fc.assert(
      fc.property(accountEvents, packEvents, agentEvents, (account, pack, agent) => {
        expect(decodeAccountEvent(encodeAccountEvent(account))).toEqual(E.right(account))
        expect(decodePacksEvent(encodePackEvent(pack))).toEqual(E.right(pack))
        expect(decodeAgentEvent(encodeAgentEvent(agent))).toEqual(E.right(agent))
      }),
    )
  })

  test('that are unknown are lefts', () => {
    for (const decode of [decodeAccountEvent, decodePacksEvent, decodeAgentEvent]) {
      expect(decode({ type: 'Other', data: '{"v":1}' })).toMatchObject({ left: { tag: 'UnknownEvent', type: 'Other' } })
    }
  })
})

describe('metadata', () => {
  const records = fc
    .tuple(
      batchHeads(signer.key),
      fc.array(changes, { minLength: 1, maxLength: 3 }),
      fc.array(outcomes),
      fc.array(fc.tuple(fc.nat({ max: 255 }), hashes)),
    )
    .map(([head, list, results, refusedLeaves]) => {
      const batch = signBatch(head, list, signer, 1, [])
      return { head: batch.head, signature: batch.signature, outcomes: results, refusedLeaves }
    })
  const metadata = fc.record(
    {
      account: accounts,
      agent: agentKeys,
      epoch: epochs,
      number: revisions,
      index: fc.nat({ max: 255 }),
      time: fc.nat(),
      clientTime: fc.double({ noNaN: true, noDefaultInfinity: true }).map((time) => time + 0),
      proof: fc.constantFrom('signed' as const, 'password' as const, 'gateway' as const),
      message: records,
    },
    { requiredKeys: ['time', 'proof'] },
  )

  test('reads back what was written', () => {
    fc.assert(
      fc.property(metadata, (written) => {
        expect(decodeMetadata(encodeMetadata(written))).toEqual(E.right(written))
      }),
    )
  })

  test('that is not understood is a left', () => {
    expect(decodeMetadata('')).toMatchObject({ left: { tag: 'BadEvent' } })
    expect(decodeMetadata('{"time":1}')).toMatchObject({ left: { tag: 'BadEvent', field: 'proof' } })
  })
})
