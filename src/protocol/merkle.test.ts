import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_HASH, type Hash } from '../domain/content.ts'
import { hashes } from '../../test/support/protocol-arbitraries.ts'
import { sha256 } from './hash.ts'
import { contentHash, inclusionPath, inclusionPaths, leafHash, merkleRoot, rootFromPath } from './merkle.ts'

// Certificate Transparency's reference data: leaves, and the root of the first so many.
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const leaves = LEAVES.map((hex) => leafHash(Buffer.from(hex, 'hex')))

describe('Merkle trees (RFC 6962)', () => {
  test('no leaves: SHA-256 of nothing', () => {
    expect(merkleRoot([])).toBe(EMPTY_HASH)
  })

  test.each(ROOTS.map((root, i) => [i + 1, root] as const))('the known root of %i leaves', (size, root) => {
    expect(merkleRoot(leaves.slice(0, size))).toBe(root)
  })

  test.each([
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  ])('the known path of leaf %i of %i', (index, size, path) => {
    expect(inclusionPath(leaves.slice(0, size), index)).toEqual(path)
  })

  test('a text is hashed as its UTF-8', () => {
    expect(leafHash('ä€😀')).toBe(leafHash(Buffer.from('ä€😀')))
  })

  const trees = fc
    .array(hashes, { minLength: 1, maxLength: 70 })
    .chain((list) => fc.tuple(fc.constant(list), fc.nat({ max: list.length - 1 })))

  test('every path leads to the root, all at once as well as one by one', () => {
    fc.assert(
      fc.property(trees, ([list, index]) => {
        const path = inclusionPath(list, index)
        const leaf = list[index] ?? EMPTY_HASH
        expect(rootFromPath(leaf, index, list.length, path)).toBe(merkleRoot(list))
        const all = inclusionPaths(list)
        expect(all.root).toBe(merkleRoot(list))
        expect(all.paths[index]).toEqual(path)
      }),
    )
  })

  test('another leaf, place, size or path leads elsewhere', () => {
    fc.assert(
      fc.property(trees, hashes, ([list, index], other) => {
        const root = merkleRoot(list)
        const path = inclusionPath(list, index)
        const leaf = list[index] ?? EMPTY_HASH
        expect(rootFromPath(other, index, list.length, path)).not.toBe(root)
        expect(rootFromPath(leaf, index, list.length, [...path, other])).toBeUndefined()
        expect(rootFromPath(leaf, list.length, list.length, path)).toBeUndefined()
        if (path.length > 0) expect(rootFromPath(leaf, index, list.length, path.slice(1))).toBeUndefined()
      }),
    )
  })
})

describe('the hash of a content', () => {
  const chunk = (text: string) => ({ hash: sha256(text), size: text.length })

  test('none, one, and several chunks', () => {
    const [a, b] = [chunk('a'), chunk('b')]
    expect(contentHash([])).toBe(EMPTY_HASH)
    expect(contentHash([a])).toBe(a.hash)
    const nodes = [a, b].map(({ hash }) => Buffer.concat([Buffer.from([0]), Buffer.from(hash, 'hex')])).map((leaf) => sha256(leaf))
    const root: Hash = sha256(Buffer.concat([Buffer.from([1]), ...nodes.map((node) => Buffer.from(node, 'hex'))]))
    expect(contentHash([a, b])).toBe(root)
  })
})
