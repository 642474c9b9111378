import {
  CHUNK_MAX,
  EMPTY_HASH,
  MAX_FILE_SIZE,
  MAX_INLINE_CHUNKS,
  directoryContent,
  type Chunk,
  type Content,
  type Kind,
  type Manifest,
} from '../domain/content.ts'
import type { Json, JsonObject } from './json.ts'
import { MANIFEST_ENTRY, chunksMatch } from './manifest.ts'
import { within, type Fields, type Reader, type Place } from './reader.ts'

/** Longest target of a symlink, in bytes. */
const MAX_TARGET = 4096

/** Chunks as pairs of hash and size. */
export const encodeChunks = (chunks: readonly Chunk[]): Json => chunks.map(({ hash, size }) => [hash, size])

/** A content's fields but for its `Size`, which is the last of all: in canonical order, so that what is signed need not be sorted. */
export const encodeShape = ({ kind, hash, manifest, executable, modified }: Content): JsonObject => {
  if (kind === 'directory') return { Kind: kind, Modified: modified }
  const mode = executable ? '755' : '644'
  if (manifest.tag === 'object') {
    const object = { Hash: manifest.hash, Size: manifest.size }
    if (kind === 'symlink') return { Hash: hash, Kind: kind, Manifest: object, Modified: modified }
    return { Hash: hash, Kind: kind, Manifest: object, Mode: mode, Modified: modified }
  }
  const chunks = encodeChunks(manifest.chunks)
  if (kind === 'symlink') return { Chunks: chunks, Hash: hash, Kind: kind, Modified: modified }
  return { Chunks: chunks, Hash: hash, Kind: kind, Mode: mode, Modified: modified }
}

export const encodeSize = ({ kind, size }: Content): JsonObject => (kind === 'directory' ? {} : { Size: String(size) })

/** A content's fields, as changes, entries and events hold them. A directory has only `Kind` and `Modified`; only a file has `Mode`. */
export const encodeContent = (content: Content): JsonObject => ({ ...encodeShape(content), ...encodeSize(content) })

/** A pair of hash and size. */
export const readChunk = (reader: Reader, json: Json, at: Place): Chunk => {
  const pair: readonly Json[] = Array.isArray(json) ? json : []
  if (pair.length !== 2) reader.fail(at, 'must be a hash and a size')
  return { hash: reader.hash(pair[0], within(at, 0)), size: reader.integer(pair[1], within(at, 1), 1, CHUNK_MAX) }
}

const MODIFIED = /^(0|-?[1-9]\d{0,19})$/

/** Reads a content. `checked`: it came from the log, where the gateway put it after checking its hash. */
export const readContent = (reader: Reader, fields: Fields, checked: boolean): Content => {
  const kind = readKind(fields)
  const modified = fields.matching('Modified', MODIFIED, 'must be nanoseconds as a decimal string of at most 20 digits')
  if (kind === 'directory') return readDirectory(fields, modified)
  const size = fields.size('Size', kind === 'symlink' ? MAX_TARGET : MAX_FILE_SIZE)
  const content: Content = {
    kind,
    size,
    hash: fields.hash('Hash'),
    manifest: fields.has('Manifest')
      ? readManifest(fields, size)
      : { tag: 'chunks', chunks: fields.list('Chunks', MAX_INLINE_CHUNKS, (json, at) => readChunk(reader, json, at)) },
    executable: kind === 'file' && readMode(fields),
    modified,
  }
  if (kind === 'symlink') checkSymlink(fields, content.manifest)
  if (!checked && !reader.failed) checkChunks(fields, content)
  return content
}

const readKind = (fields: Fields): Kind => {
  const kind = fields.raw('Kind')
  if (kind === 'file' || kind === 'directory' || kind === 'symlink') return kind
  fields.fail('Kind', 'must be "file", "directory" or "symlink"')
  return 'file'
}

const readDirectory = (fields: Fields, modified: string): Content => {
  for (const field of ['Chunks', 'Manifest', 'Mode']) if (fields.has(field)) fields.fail(field, 'has no place in a directory')
  if (fields.has('Size')) fields.size('Size', 0)
  if (fields.has('Hash') && fields.hash('Hash') !== EMPTY_HASH) fields.fail('Hash', 'must be the hash of nothing for a directory')
  return directoryContent(modified)
}

const readMode = (fields: Fields): boolean => {
  const mode = fields.raw('Mode')
  if (mode !== '755' && mode !== '644') fields.fail('Mode', 'must be "755" or "644"')
  return mode === '755'
}

const MANIFEST_FIELDS = new Set(['Hash', 'Size'])

const readManifest = (fields: Fields, size: number): Manifest => {
  if (fields.has('Chunks')) fields.fail('Chunks', 'has no place beside Manifest')
  const object = fields.fields('Manifest')
  object.only(MANIFEST_FIELDS)
  const bytes = object.integer('Size', 0, CHUNK_MAX)
  const chunks = bytes / MANIFEST_ENTRY
  if (!Number.isInteger(chunks) || chunks <= MAX_INLINE_CHUNKS)
    object.fail('Size', `must be ${MANIFEST_ENTRY} bytes for each of more than ${MAX_INLINE_CHUNKS} chunks`)
  if (size < chunks || size > chunks * CHUNK_MAX) fields.fail('Size', "must fit the manifest's number of chunks")
  return { tag: 'object', hash: object.hash('Hash'), size: bytes }
}

const checkSymlink = (fields: Fields, manifest: Manifest): void => {
  if (fields.has('Mode')) fields.fail('Mode', 'has no place in a symlink')
  if (manifest.tag !== 'chunks' || manifest.chunks.length !== 1) fields.fail('Chunks', 'must be one chunk, the target of the symlink')
}

const checkChunks = (fields: Fields, content: Content): void => {
  if (content.manifest.tag === 'chunks' && !chunksMatch(content, content.manifest.chunks)) {
    fields.fail('Chunks', 'must have sizes that sum to Size, and hashes that make Hash')
  }
}
