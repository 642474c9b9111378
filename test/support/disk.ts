import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { either as E } from 'fp-ts'
import { onTestFinished } from 'vitest'
import type { Seen } from '../../src/agent/disk/port.ts'
import { chunkSizes } from '../../src/domain/chunking/fastcdc.ts'
import type { Chunk, Content } from '../../src/domain/content.ts'
import { parsePath, type SyncPath } from '../../src/domain/path.ts'
import type { FileSystem } from '../../src/filesystem/port.ts'
import { manifestOf } from '../../src/protocol/manifest.ts'
import { contentHash } from '../../src/protocol/merkle.ts'
import { sha256 } from '../../src/protocol/hash.ts'

/** A new directory that goes when the test is finished. */
export const temporaryFolder = (): string => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'eventsync-disk-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const path = (text: string): SyncPath => {
  const parsed = parsePath(text)
  if (E.isLeft(parsed)) throw new Error(parsed.left.reason)
  return parsed.right
}

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

export const chunksOf = (bytes: Uint8Array): Chunk[] => {
  let at = 0
  return chunkSizes(bytes).map((size) => ({ hash: sha256(bytes.subarray(at, (at += size))), size }))
}

/** What a file of these bytes is, as the log would say. */
export const contentOf = (bytes: Uint8Array, more: Partial<Content> = {}): Content => {
  const chunks = chunksOf(bytes)
  const base = { kind: 'file', size: bytes.length, hash: contentHash(chunks), manifest: manifestOf(chunks).manifest } as const
  return { ...base, executable: false, modified: '1700000000123456789', ...more }
}

export const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** The same file system with some calls in the way: throw to fail, or do something else first and go on with `real`. */
export const meddled = (fs: FileSystem, meddling: (real: FileSystem) => Partial<FileSystem>): FileSystem => ({ ...fs, ...meddling(fs) })

type ByPath = 'lstat' | 'readdir' | 'readlink' | 'open' | 'link' | 'rename' | 'unlink' | 'mkdir' | 'rmdir' | 'symlink' | 'chmod' | 'utimes' | 'fsyncDirectory'

/** Fails a call with a code, where the path (its first argument) fits. */
export const failing = (fs: FileSystem, call: ByPath, code: string, fits: (path: string) => boolean = () => true): FileSystem => {
  const real: (...args: never[]) => unknown = fs[call]
  const meddling = (...args: [string, ...never[]]): unknown => {
    if (fits(args[0])) throw failure(code)
    // The arguments are the caller's own, and so of the call's types.
    return real(...(args as never[]))
  }
  return { ...fs, [call]: meddling }
}

/** What a look saw, where it must have seen something. */
export const seenIn = (result: { readonly tag: string; readonly seen?: Seen | undefined }): Seen => {
  if (result.seen === undefined) throw new Error(`nothing was seen: ${JSON.stringify(result)}`)
  return result.seen
}
