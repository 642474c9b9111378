import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  agentKeys,
  batchHeads,
  chains,
  changes,
  chunks,
  folders,
  hashes,
  paths,
  revisions,
  words,
} from '../../test/support/protocol-arbitraries.ts'
import { checkBatch, signBatch } from './batch.ts'
import { canonical } from './canonical.ts'
import { sha256 } from './hash.ts'
import type { Json, JsonObject } from './json.ts'
import type { Request } from './messages.ts'
import { decodeRequest, encodeRequest } from './request.ts'
import { createKeyPair } from './signing.ts'

const signer = createKeyPair(Buffer.alloc(32, 1))
const overWire = (request: Request): Json => JSON.parse(JSON.stringify(encodeRequest(request, 12.5))) as Json

const emails = fc.stringMatching(/^[a-z0-9.]{1,20}@[a-z0-9.]{1,20}$/)
const passwords = fc.string({ minLength: 1, maxLength: 100 })
const signatures = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const publicKeys = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const tag = <T extends string>(name: T) => fc.constant(name)
const user = { key: agentKeys, email: emails, password: passwords }
const none = fc.constant(undefined)

const registrations = fc
  .tuple(
    fc.record({ tag: tag('RegisterAgent'), ...user, name: words }),
    fc.oneof(fc.record({ publicKey: publicKeys, proof: signatures }), fc.record({ publicKey: none, proof: none })),
    fc.oneof(fc.record({ vouchedBy: agentKeys, countersignature: signatures }), fc.record({ vouchedBy: none, countersignature: none })),
  )
  .map(([registration, key, voucher]) => ({ ...registration, ...key, ...voucher }))

const plainActions = fc.oneof(
  fc.record({ tag: tag('Create'), path: paths, size: fc.nat() }),
  fc.record({ tag: tag('Update'), name: paths, size: fc.nat() }),
  fc.record({ tag: tag('Delete'), name: paths }),
  fc.record({ tag: tag('Open'), name: paths }),
  fc.record({ tag: tag('Sync'), position: fc.integer({ min: -1, max: 1000 }) }),
)

const batches = fc
  .tuple(batchHeads(signer.key), fc.array(changes, { minLength: 1, maxLength: 8 }), fc.array(chunks, { maxLength: 1 }))
  .map(([head, list, contents]) => signBatch(head, list, signer, 3.25, contents))

const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ tag: tag('RegisterUser'), email: emails, password: passwords }),
  registrations,
  fc.record({ tag: tag('SignIn'), key: agentKeys, nonce: words, signature: signatures }),
  batches.map((batch) => ({ tag: 'Changes' as const, key: signer.key, batch })),
  fc.record({ tag: tag('Missing'), key: agentKeys, folder: folders, chunks: fc.array(hashes) }),
  fc.record({ tag: tag('Chunks'), key: agentKeys, folder: folders, chunks: fc.array(chunks, { maxLength: 1 }) }),
  fc.record({ tag: tag('Sync'), key: agentKeys, folder: folders, position: fc.integer({ min: -1, max: 1000 }), chain: chains }),
  fc.record({
    tag: tag('Open'),
    key: agentKeys,
    folder: folders,
    unchecked: fc.boolean(),
    files: fc.array(fc.record({ version: revisions, chunks: fc.array(hashes) })),
  }),
  fc.record({ tag: tag('Synced'), key: agentKeys, folder: folders, position: revisions, chain: hashes, signature: signatures }),
  fc.record({ tag: tag('Agents'), key: agentKeys }),
  fc.record({ tag: tag('RenameAgent'), key: agentKeys, target: agentKeys, name: words }),
  fc.record({ tag: tag('RevokeAgent'), key: agentKeys, target: agentKeys, reason: words }),
  fc.record({ tag: tag('Plain'), ...user, action: plainActions }),
)

describe('requests', () => {
  test('read back what was written', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(decodeRequest(overWire(request), false)).toEqual(E.right(request))
      }),
    )
  })

  test('a clock is a number in every request, where there is one', () => {
    fc.assert(
      fc.property(requests, (request) => {
        for (const time of ['1', null, {}, Number.POSITIVE_INFINITY]) {
          const decoded = decodeRequest({ ...encodeRequest(request, 1), Timestamp: time }, false)
          expect(decoded).toMatchObject({ left: { field: 'Timestamp', reason: 'must be a number' } })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('a wrong path is told of in a sentence', () => {
    const plain = (path: string) => ({
      Action: 'Create',
      Agent: { Key: KEY, User: { Email: 'a@b', Password: 'x' } },
      File: { OriginalName: path, Size: '1' },
    })
    const said = (path: string): string => {
      const decoded = decodeRequest(plain(path), true)
      return E.isLeft(decoded) ? `${decoded.left.field} ${decoded.left.reason}` : ''
    }
    expect(said('/etc/x')).toBe('File.OriginalName must be relative')
    expect(said('../x')).toBe('File.OriginalName must not hold empty, "." or ".." names')
    expect(said('n'.repeat(256))).toBe('File.OriginalName must not hold a name of more than 255 bytes')
    expect(said('.eventsync/x')).toBe('File.OriginalName must not lie in ".eventsync" at the root, which is EventSync\'s own')
  })

  test('a batch still carries its signature after the wire', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const request = decodeRequest(overWire({ tag: 'Changes', key: signer.key, batch }), false)
        const read = E.isRight(request) && request.right.tag === 'Changes' ? request.right.batch : undefined
        expect(read === undefined ? read : await checkBatch(read, signer.publicKey)).toMatchObject({ _tag: 'Right' })
      }),
      { numRuns: 30 },
    )
  })

  test('what was signed is the change as it was sent, sizes as numbers included', () => {
    const change: JsonObject = {
      Action: 'Create',
      File: {
        OriginalName: 'a',
        Kind: 'file',
        Size: 1,
        Hash: sha256('x'),
        Chunks: [[sha256('x'), 1]],
        Base: 0,
        Modified: '0',
        Mode: '644',
      },
    }
    const request = decodeRequest({ ...BATCH, Changes: [change] }, false)
    expect(request).toMatchObject({ right: { batch: { canonical: [canonical(change)] } } })
  })
})

const KEY = '6C19A781148814833ED25840B7A07BA7'
const BATCH: JsonObject = {
  Action: 'Changes',
  Timestamp: 1,
  Agent: { Key: KEY },
  Format: 1,
  Folder: 'a'.repeat(32),
  Epoch: '0123456789abcdef',
  Number: 0,
  Count: 1,
  Root: sha256('root'),
  Previous: '',
  Position: -1,
  Chain: '',
  Signature: `${'A'.repeat(86)}==`,
  Changes: [{ Action: 'Delete', File: { OriginalName: 'x', Base: 4 } }],
}
const SYNC: JsonObject = { Action: 'Sync', Agent: { Key: KEY }, Folder: 'a'.repeat(32), Position: 4, Chain: sha256('chain') }

describe('refused requests', () => {
  const big = Array.from({ length: 256 }, () => ({
    Action: 'Delete',
    File: { OriginalName: `${'x'.repeat(250)}/`.repeat(10) + 'y', Base: 1 },
  }))

  test.each<[string, Json, string]>([
    ['nothing', null, 'message'],
    ['a list', [], 'message'],
    ['no action', { Agent: { Key: KEY } }, 'Action'],
    ['an unknown action', { ...SYNC, Action: 'Dance' }, 'Action'],
    ['no agent', { ...SYNC, Agent: null }, 'Agent'],
    ['a key that is too short', { ...SYNC, Agent: { Key: 'AB' } }, 'Agent.Key'],
    ['a folder of another form', { ...SYNC, Folder: '../x' }, 'Folder'],
    ['a position that is not whole', { ...SYNC, Position: 1.5 }, 'Position'],
    ['a chain of another form', { ...SYNC, Chain: 'abc' }, 'Chain'],
    ['bytes outside a plain connection', { Action: 'Bytes', Agent: { Key: KEY } }, 'Action'],
    ['an open of no list', { ...SYNC, Action: 'Open', Files: {} }, 'Files'],
    ['an open that is unchecked or not', { ...SYNC, Action: 'Open', Files: [], Unchecked: 1 }, 'Unchecked'],
    ['an open of no hash', { ...SYNC, Action: 'Open', Files: [{ Version: 1, Chunks: ['x'] }] }, 'Files[0].Chunks[0]'],
    ['another format', { ...BATCH, Format: 2 }, 'Format'],
    ['an epoch of another form', { ...BATCH, Epoch: 'x' }, 'Epoch'],
    ["a count that is not the changes'", { ...BATCH, Count: 2 }, 'Count'],
    ['no changes', { ...BATCH, Changes: [] }, 'Count'],
    ['too many changes', { ...BATCH, Count: 257, Changes: Array.from({ length: 257 }, () => null) }, 'Count'],
    [
      'a bad change',
      { ...BATCH, Changes: [{ Action: 'Delete', File: { OriginalName: '/etc/x', Base: 4 } }] },
      'Changes[0].File.OriginalName',
    ],
    ['too many bytes of changes', { ...BATCH, Count: 256, Changes: big }, 'Changes'],
    [
      'too many bytes of contents',
      {
        ...BATCH,
        Contents: [
          [sha256('a'), 4 * 1024 * 1024],
          [sha256('b'), 1],
        ],
      },
      'Contents',
    ],
    ['a signature of another form', { ...BATCH, Signature: 'x' }, 'Signature'],
    [
      'a public key without its proof',
      { Action: 'RegisterAgent', Agent: { Key: KEY, User: { Email: 'a@b', Password: 'p' }, PublicKey: `${'A'.repeat(43)}=` } },
      'Agent.Proof',
    ],
    [
      'a countersignature by nobody',
      { Action: 'RegisterAgent', Agent: { Key: KEY, User: { Email: 'a@b', Password: 'p' }, Countersignature: `${'A'.repeat(86)}==` } },
      'Agent.VouchedBy',
    ],
    ['no email address', { Action: 'RegisterUser', Agent: { User: { Email: 'ab', Password: 'p' } } }, 'Agent.User.Email'],
    ['no password', { Action: 'RegisterUser', Agent: { User: { Email: 'a@b', Password: '' } } }, 'Agent.User.Password'],
  ])('%s: names the field', (_, json, field) => {
    expect(decodeRequest(json, false)).toMatchObject({ left: { tag: 'BadMessage', field } })
  })

  test('no error holds a password', () => {
    const json = {
      Action: 'Create',
      Agent: { Key: KEY, User: { Email: 'no address', Password: 'SECRET' } },
      File: { OriginalName: 'x', Size: 'y' },
    }
    const long = { Action: 'RegisterUser', Agent: { User: { Email: 'a@b', Password: 'SECRET'.repeat(1000) } } }
    expect(JSON.stringify([decodeRequest(json, true), decodeRequest(long, false)])).not.toContain('SECRET')
  })
})
