import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EMPTY_HASH, MAX_FILE_SIZE } from '../domain/content.ts'
import { changes } from '../../test/support/protocol-arbitraries.ts'
import { canonical } from './canonical.ts'
import { decodeChange, encodeChange } from './change-codec.ts'
import { sha256 } from './hash.ts'
import type { Json, JsonObject } from './json.ts'

const HASH = sha256('hello')
const WHOLE: JsonObject = { OriginalName: 'a/b.txt', Kind: 'file', Hash: HASH, Modified: '17', Mode: '644', Base: 'none' }
const FILE: JsonObject = { ...WHOLE, Size: '5', Chunks: [[HASH, 5]] }
const LARGE: JsonObject = { ...WHOLE, Size: '40000000', Manifest: { Hash: HASH, Size: 36 * 40 } }
const LINK: JsonObject = { OriginalName: 'l', Kind: 'symlink', Size: '5', Hash: HASH, Chunks: [[HASH, 5]], Modified: '17', Base: 3 }
const FOLDER: JsonObject = { OriginalName: 'd', Kind: 'directory', Modified: '-17', Base: 'any' }

const create = (file: JsonObject, more: JsonObject = {}): Json => ({ Action: 'Create', File: { ...file, ...more } })
const decode = (json: Json) => decodeChange(json, 'Changes[0]')

describe('changes', () => {
  test('read back what was written, through canonical JSON', () => {
    fc.assert(
      fc.property(changes, (change) => {
        const text = canonical(encodeChange(change))
        const json = JSON.parse(text) as Json
        expect(decode(json)).toEqual(E.right(change))
        expect(canonical(json)).toBe(text)
      }),
    )
  })

  test('are written in canonical order: what is signed need not be sorted', () => {
    fc.assert(
      fc.property(changes, (change) => {
        expect(JSON.stringify(encodeChange(change))).toBe(canonical(encodeChange(change)))
      }),
    )
  })

  test.each([
    ['a file', FILE],
    ['a large file', LARGE],
    ['a symlink', LINK],
    ['a directory', FOLDER],
    ['a directory that says all', { ...FOLDER, Size: 0, Hash: EMPTY_HASH }],
    ['a size as a number', { ...FILE, Size: 5 }],
    ['an empty file', { ...FILE, Size: '0', Hash: EMPTY_HASH, Chunks: [] }],
  ])('takes %s', (_, file) => {
    expect(E.isRight(decode(create(file)))).toBe(true)
  })

  test.each<[string, Json, string]>([
    ['no object', 'x', 'Changes[0]'],
    ['an unknown action', { Action: 'Shred' }, 'Changes[0].Action'],
    ['an unknown field', { Action: 'Approve', Count: 1, Extra: 1 }, 'Changes[0].Extra'],
    ['an unknown field of the file', create(FILE, { Owner: 'me' }), 'Changes[0].File.Owner'],
    ['an unknown field of the manifest', create(LARGE, { Manifest: { Hash: HASH, Size: 36 * 40, X: 1 } }), 'Changes[0].File.Manifest.X'],
    ['a path that leaves the folder', create(FILE, { OriginalName: '../x' }), 'Changes[0].File.OriginalName'],
    ['a path with NUL', create(FILE, { OriginalName: 'a\0b' }), 'Changes[0].File.OriginalName'],
    ['no path', { Action: 'Delete', File: { Base: 1 } }, 'Changes[0].File.OriginalName'],
    ['a negative base', create(FILE, { Base: -1 }), 'Changes[0].File.Base'],
    ['a base of no kind', create(FILE, { Base: '3' }), 'Changes[0].File.Base'],
    ['an unknown kind', create(FILE, { Kind: 'device' }), 'Changes[0].File.Kind'],
    ['a negative size', create(FILE, { Size: -5 }), 'Changes[0].File.Size'],
    ['a size that is too large', create(LARGE, { Size: MAX_FILE_SIZE + 1 }), 'Changes[0].File.Size'],
    ['a size that is not whole', create(FILE, { Size: '5.0' }), 'Changes[0].File.Size'],
    ['sizes that do not sum', create(FILE, { Size: '6' }), 'Changes[0].File.Chunks'],
    ["a hash that is not the chunks'", create(FILE, { Hash: sha256('other') }), 'Changes[0].File.Chunks'],
    ['an upper-case hash', create(FILE, { Hash: HASH.toUpperCase() }), 'Changes[0].File.Hash'],
    ['a chunk of no bytes', create(FILE, { Chunks: [[HASH, 0]] }), 'Changes[0].File.Chunks[0][1]'],
    ['a chunk that is too large', create(FILE, { Chunks: [[HASH, 4 * 1024 * 1024 + 1]] }), 'Changes[0].File.Chunks[0][1]'],
    ['a chunk that is no pair', create(FILE, { Chunks: [[HASH, 5, 6]] }), 'Changes[0].File.Chunks[0]'],
    ['too many chunks', create(FILE, { Chunks: Array.from({ length: 33 }, () => [HASH, 1]), Size: 33 }), 'Changes[0].File.Chunks'],
    ['chunks and manifest', create(FILE, { Manifest: { Hash: HASH, Size: 36 * 40 } }), 'Changes[0].File.Chunks'],
    ['a manifest of few chunks', create(LARGE, { Manifest: { Hash: HASH, Size: 36 * 32 } }), 'Changes[0].File.Manifest.Size'],
    ['a manifest that can not hold the size', create(LARGE, { Size: 40 * 4 * 1024 * 1024 + 1 }), 'Changes[0].File.Size'],
    ['a directory with chunks', create(FOLDER, { Chunks: [[HASH, 5]] }), 'Changes[0].File.Chunks'],
    ['a directory with a size', create(FOLDER, { Size: 1 }), 'Changes[0].File.Size'],
    [
      'a symlink of two chunks',
      create(LINK, {
        Chunks: [
          [HASH, 2],
          [HASH, 3],
        ],
      }),
      'Changes[0].File.Chunks',
    ],
    ['a symlink with a long target', create(LINK, { Size: 4097, Chunks: [[HASH, 4097]] }), 'Changes[0].File.Size'],
    ['a symlink with a mode', create(LINK, { Mode: '644' }), 'Changes[0].File.Mode'],
    ['a mode of another kind', create(FILE, { Mode: '4755' }), 'Changes[0].File.Mode'],
    ['a time that is a number', create(FILE, { Modified: 17 }), 'Changes[0].File.Modified'],
    ['a time of 21 digits', create(FILE, { Modified: '1'.repeat(21) }), 'Changes[0].File.Modified'],
    ['a time that is not decimal', create(FILE, { Modified: '017' }), 'Changes[0].File.Modified'],
    ['a move onto itself', { Action: 'Move', File: { ...FILE, MovedFrom: 'a/b.txt' } }, 'Changes[0].File.MovedFrom'],
    ['a deletion with content', { Action: 'Delete', File: FILE }, 'Changes[0].File.Kind'],
    ['a hold without a reason', { Action: 'Hold', Count: 3 }, 'Changes[0].Reason'],
    ['a hold that would steer a terminal', { Action: 'Hold', Count: 3, Reason: '\u001b[2J' }, 'Changes[0].Reason'],
  ])('refuses %s, and names the field', (_, json, field) => {
    expect(decode(json)).toMatchObject({ left: { tag: 'BadMessage', field } })
  })
})
