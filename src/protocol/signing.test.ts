import { hash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AgentKey, FolderId } from '../domain/events.ts'
import { batchHeads, changes, hashes, words } from '../../test/support/protocol-arbitraries.ts'
import { checkBatch, signBatch } from './batch.ts'
import { leafHash, merkleRoot } from './merkle.ts'
import type { SignedBatch } from './messages.ts'
import {
  agentKeyOf,
  countersignText,
  createKeyPair,
  headText,
  newKeyPem,
  registrationProofText,
  signInText,
  signerFromPem,
  verify,
  verifyAsync,
  witnessText,
} from './signing.ts'

const signer = createKeyPair(Buffer.alloc(32, 1))
const other = createKeyPair(Buffer.alloc(32, 2))

/** The same base64 with one bit of its bytes turned. */
const turned = (base64: string, byte: number): string => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[byte] = (bytes[byte] ?? 0) ^ 1
  return bytes.toString('base64')
}

describe('keys and signatures', () => {
  test('RFC 8032, section 7.1, test 1', () => {
    const known = createKeyPair(Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'))
    const publicKey = Buffer.from(known.publicKey, 'base64')
    expect(publicKey.toString('hex')).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
    expect(Buffer.from(known.sign(''), 'base64').toString('hex')).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
    expect(known.key).toBe(hash('sha256', publicKey, 'hex').slice(0, 32).toUpperCase())
    expect(agentKeyOf(publicKey)).toBe(known.key)
  })

  test('a key kept as PEM signs as before', () => {
    const pem = newKeyPem()
    expect(signerFromPem(pem).sign('x')).toBe(signerFromPem(pem).sign('x'))
    expect(createKeyPair().publicKey).not.toBe(createKeyPair().publicKey)
  })

  test('an error about a key holds nothing of it', () => {
    expect(() => signerFromPem('SECRET')).not.toThrow(/SECRET/)
    expect(() => signerFromPem('SECRET')).toThrow()
  })

  test.each([
    ['the right signature', signer.publicKey, 'text', signer.sign('text'), true],
    ['of another text', signer.publicKey, 'texT', signer.sign('text'), false],
    ['of another key', other.publicKey, 'text', signer.sign('text'), false],
    ['with a bit turned', signer.publicKey, 'text', turned(signer.sign('text'), 40), false],
    ['that is none', signer.publicKey, 'text', 'AAAA', false],
    ['under what is no key', 'AAAA', 'text', signer.sign('text'), false],
    ['under bytes that are no point', Buffer.alloc(32, 0xff).toString('base64'), 'text', signer.sign('text'), false],
  ])('verifies %s', async (_, key, text, signature, right) => {
    expect(verify(key, text, signature)).toBe(right)
    expect(await verifyAsync(key, text, signature)).toBe(right)
  })

  test('goes on verifying when it has seen more keys than it keeps', () => {
    const signature = signer.sign('')
    for (let i = 0; i < 4200; i += 1) verify(hash('sha256', String(i), 'buffer').toString('base64'), '', signature)
    expect(verify(signer.publicKey, 'text', signer.sign('text'))).toBe(true)
  })

  test('what is signed for one purpose serves no other: each text begins with its own', () => {
    fc.assert(
      fc.property(batchHeads(signer.key), words, hashes, (said, word, root) => {
        const head = headText({ ...said, count: 1, root })
        const others = [
          signInText(word, signer.key),
          registrationProofText(word, word),
          countersignText(word, word),
          witnessText(said.folder, said.position, said.chain),
        ]
        expect(head.startsWith('{')).toBe(true)
        const purposes = others.map((text) => text.slice(0, text.indexOf('\0')))
        expect(purposes).toEqual(['eventsync-sign-in', 'eventsync-register', 'eventsync-countersign', 'eventsync-witness'])
      }),
    )
  })
})

describe('signed batches', () => {
  const batches = fc
    .tuple(batchHeads(signer.key), fc.array(changes, { minLength: 1, maxLength: 5 }))
    .map(([head, list]) => signBatch(head, list, signer, 1.5, []))

  test('the leaves of a batch make the root that was signed', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const leaves = batch.canonical.map(leafHash)
        expect(await checkBatch(batch, signer.publicKey)).toEqual(E.right(leaves))
        expect(batch.head.root).toBe(merkleRoot(leaves))
        expect(headText(batch.head)).toContain(`"Count":${batch.changes.length}`)
      }),
      { numRuns: 50 },
    )
  })

  const tamper: readonly (readonly [string, (batch: SignedBatch) => SignedBatch])[] = [
    ['another folder', (batch) => ({ ...batch, head: { ...batch.head, folder: '0123456789abcdef0123456789abcdef' as FolderId } })],
    ['another number', (batch) => ({ ...batch, head: { ...batch.head, number: batch.head.number + 1 } })],
    ['another agent', (batch) => ({ ...batch, head: { ...batch.head, agent: other.key satisfies AgentKey } })],
    ['a change dropped', (batch) => ({ ...batch, canonical: batch.canonical.slice(1) })],
    ['a change added', (batch) => ({ ...batch, canonical: [...batch.canonical, '{}'] })],
    ['a change altered', (batch) => ({ ...batch, canonical: batch.canonical.with(0, '{}') })],
    ['another signature', (batch) => ({ ...batch, signature: turned(batch.signature, 1) })],
  ]

  test.each(tamper)('refuses %s', async (_, change) => {
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        expect(await checkBatch(change(batch), signer.publicKey)).toMatchObject({ left: { tag: 'BadSignature' } })
      }),
      { numRuns: 20 },
    )
  })
})
