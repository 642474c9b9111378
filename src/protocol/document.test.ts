import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { AgentKey } from '../domain/events.ts'
import { checkBatch } from './batch.ts'
import type { JsonObject } from './json.ts'
import { leafHash } from './merkle.ts'
import { CODES } from './messages.ts'
import { decodeRequest } from './request.ts'
import { createKeyPair, headText, signInText, verify } from './signing.ts'

const text = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')

interface Example {
  readonly Seed: string
  readonly PublicKey: string
  readonly SignIn: { readonly Nonce: string; readonly Signature: string }
  readonly Leaves: readonly string[]
  readonly Head: string
  readonly Message: JsonObject & { readonly Agent: { readonly Key: AgentKey }; readonly Signature: string }
}

describe('docs/protocol.md', () => {
  // The shape is the document's own.
  const example = JSON.parse(/```json\n([\s\S]*?)\n```/.exec(text)?.[1] ?? '') as Example
  const signer = createKeyPair(Buffer.from(example.Seed, 'hex'))

  test("the example's key signs in", () => {
    expect(example.PublicKey).toBe(signer.publicKey)
    expect(example.Message.Agent.Key).toBe(signer.key)
    const { Nonce: nonce, Signature: signature } = example.SignIn
    expect(verify(signer.publicKey, signInText(nonce, signer.key), signature)).toBe(true)
  })

  test("the example's message is taken, with the head and the leaves that are shown", async () => {
    const request = decodeRequest(example.Message, false)
    if (E.isLeft(request) || request.right.tag !== 'Changes') return expect.fail(JSON.stringify(request))
    const { batch } = request.right
    expect(headText(batch.head)).toBe(example.Head)
    expect(signer.sign(example.Head)).toBe(example.Message.Signature)
    expect(batch.canonical.map(leafHash)).toEqual(example.Leaves)
    expect(await checkBatch(batch, example.PublicKey)).toEqual(E.right(example.Leaves))
  })

  test('the list of codes is that of the code', () => {
    for (const [code, meaning] of Object.entries(CODES)) expect(text).toContain(`| \`${code}\` | ${meaning} |`)
  })
})
