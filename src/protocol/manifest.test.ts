import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CHUNK_MAX, type Chunk } from '../domain/content.ts'
import { chunks } from '../../test/support/protocol-arbitraries.ts'
import { sha256 } from './hash.ts'
import { chunksMatch, decodeManifest, encodeManifest, manifestOf } from './manifest.ts'
import { contentHash } from './merkle.ts'

const many: Chunk[] = Array.from({ length: 40 }, (_, i) => ({ hash: sha256(`chunk ${i}`), size: i + 1 }))

describe('manifests', () => {
  test('an object of 36 bytes a chunk: hash, then size, big-endian', () => {
    const bytes = encodeManifest([{ hash: sha256('x'), size: 0x01020304 }])
    expect(bytes.toString('hex')).toBe(`${sha256('x')}01020304`)
  })

  test('few chunks stay in place, many make an object named by its own hash', () => {
    expect(manifestOf(many.slice(0, 32))).toEqual({ manifest: { tag: 'chunks', chunks: many.slice(0, 32) }, object: undefined })
    const { manifest, object } = manifestOf(many.slice(0, 33))
    expect(manifest).toEqual({ tag: 'object', hash: sha256(object ?? ''), size: 33 * 36 })
  })

  test('reads back what was written', () => {
    fc.assert(
      fc.property(fc.array(chunks, { minLength: 33, maxLength: 60 }), (list) => {
        expect(decodeManifest(encodeManifest(list))).toEqual(E.right(list))
      }),
    )
  })

  test.each([
    ['half an entry', encodeManifest(many).subarray(0, -1)],
    ['as few as would stand in place', encodeManifest(many.slice(0, 32))],
    ['an empty chunk', encodeManifest(many.with(3, { hash: sha256(''), size: 0 }))],
    ['a chunk that is too large', encodeManifest(many.with(3, { hash: sha256(''), size: CHUNK_MAX + 1 }))],
    ['a manifest that is no chunk itself', Buffer.alloc(36 * 116_509, 1)],
  ])('refuses %s', (_, bytes) => {
    expect(decodeManifest(bytes)).toMatchObject({ left: { tag: 'BadMessage', field: 'Manifest' } })
  })

  test('survives any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => void decodeManifest(bytes)))
  })

  test('matches a content only with its own chunks', () => {
    const size = many.reduce((sum, chunk) => sum + chunk.size, 0)
    const content = { size, hash: contentHash(many) }
    expect(chunksMatch(content, many)).toBe(true)
    expect(chunksMatch(content, many.toReversed())).toBe(false)
    expect(chunksMatch({ ...content, size: size + 1 }, many)).toBe(false)
  })
})
