import { randomBytes } from 'node:crypto'
import * as nodeFs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/disk.ts'
import { chunkSizes } from '../../domain/chunking/fastcdc.ts'
import type { Chunk } from '../../domain/content.ts'
import { nodeFileSystem } from '../../filesystem/node.ts'
import { sha256 } from '../../protocol/hash.ts'
import { chunksOfFile, oneWindow } from './file-chunks.ts'

const MIB = 1024 * 1024

const cut = (bytes: Buffer, sizes: readonly number[] = chunkSizes(bytes)): Chunk[] => {
  let at = 0
  return sizes.map((size) => ({ size, hash: sha256(bytes.subarray(at, (at += size))) }))
}

const chunksIn = (bytes: Buffer, like?: readonly Chunk[], size = bytes.length): readonly Chunk[] | undefined => {
  const root = temporaryFolder()
  const fs = nodeFileSystem(root)
  nodeFs.writeFileSync(join(root, 'f'), bytes)
  const fd = fs.open('f', 'r')
  const chunks = chunksOfFile(
    fs,
    fd,
    size,
    oneWindow(size, (length) => new Uint8Array(length)),
    like,
  )
  fs.close(fd)
  return chunks
}

const content = randomBytes(9 * MIB + 1)
const at = 5 * MIB
const edits: Readonly<Record<string, Buffer>> = {
  'the same': content,
  'a byte overwritten': Buffer.concat([content.subarray(0, at), Buffer.of((content[at] ?? 0) ^ 1), content.subarray(at + 1)]),
  'a byte at the front': Buffer.concat([Buffer.of(1), content]),
  'a piece cut out': Buffer.concat([content.subarray(0, at), content.subarray(at + MIB)]),
  'cut short': content.subarray(0, at),
  'appended to': Buffer.concat([content, content.subarray(0, MIB)]),
  'halves swapped': Buffer.concat([content.subarray(at), content.subarray(0, at)]),
  'all zeros': Buffer.alloc(5 * MIB),
  'something else': randomBytes(2 * MIB),
  small: content.subarray(0, 200_000),
}

describe('the chunks of a file', { timeout: 60_000 }, () => {
  test.each(Object.entries(edits))('%s: are those that its bytes are cut into, whatever it is said to be like', (_, bytes) => {
    const chunks = cut(bytes)
    expect(chunksIn(bytes)).toEqual(chunks)
    for (const other of [content, bytes, edits['halves swapped'] ?? bytes]) expect(chunksIn(bytes, cut(other))).toEqual(chunks)
  })

  test('of a content that somebody else has cut are cut in the same places', () => {
    const chunks = cut(content, [...Array.from({ length: 3 }, () => 3 * MIB), 1])
    expect(chunksIn(content, chunks)).toEqual(chunks)
  })

  test('a file that is shorter than it was has none', () => {
    expect(chunksIn(content, cut(content), content.length + 1)).toBeUndefined()
    expect(chunksIn(content, [], content.length + 1)).toBeUndefined()
  })
})
