import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { expect, onTestFinished } from 'vitest'
import { inlineDisk } from '../../src/agent/disk/inline.ts'
import type { Disk, Seen, Step, StepResult } from '../../src/agent/disk/port.ts'
import { chunkSizes } from '../../src/domain/chunking/fastcdc.ts'
import type { Chunk, Content } from '../../src/domain/content.ts'
import { parsePath, type SyncPath } from '../../src/domain/path.ts'
import { nodeFileSystem } from '../../src/filesystem/node.ts'
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

// Matchers are of type any: here they become unknown, once.
const matching = (object: object): unknown => expect.objectContaining(object)

export const containing = (text: string): unknown => expect.stringContaining(text)

/** A step's or stage's failure, or an unknown look, for this reason. */
export const failedBy = (tag: string, more: object = {}): object => ({ tag: 'failed', error: matching({ tag, ...more }) })

export const unknownBy = (tag: string, reason = ''): object => ({ tag: 'unknown', error: { tag, reason: containing(reason) } })

export const sorted = (names: readonly (string | Buffer)[]): string[] => names.map(String).toSorted((a, b) => (a < b ? -1 : 1))

export const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** The same file system with some calls in the way: throw to fail, or do something else first and go on with `real`. */
export const meddled = (fs: FileSystem, meddling: (real: FileSystem) => Partial<FileSystem>): FileSystem => ({ ...fs, ...meddling(fs) })

type ByPath =
  | 'lstat'
  | 'readdir'
  | 'readlink'
  | 'open'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'
  | 'symlink'
  | 'chmod'
  | 'utimes'
  | 'fsyncDirectory'

/** Fails a call with a code, where the path (its first argument) fits. */
export const failing = (fs: FileSystem, call: ByPath, code: string, fits: (path: string) => boolean = () => true): FileSystem => {
  const real: (...args: never[]) => unknown = fs[call]
  const meddling = (...args: never[]): unknown => {
    if (fits(String(args[0]))) throw failure(code)
    return real(...args)
  }
  return { ...fs, [call]: meddling }
}

/** Whether a folded or a listed name is another spelling: a file system that takes names for one, over one that does not. */
const foldedName = (name: string): string => name.normalize('NFC').toLowerCase()

const unfold = (fs: FileSystem, path: string): string => {
  const out: string[] = []
  for (const name of path === '' ? [] : path.split('/')) {
    const entries = listed(fs, out.join('/'))
    out.push(entries.includes(name) ? name : (entries.find((entry) => foldedName(entry) === foldedName(name)) ?? name))
  }
  return out.join('/')
}

const listed = (fs: FileSystem, directory: string): readonly string[] => {
  try {
    return fs.readdir(directory).flatMap(({ name }) => name ?? [])
  } catch {
    return []
  }
}

/** The file system as one that keeps names and folds their case and Unicode form when it looks for them (APFS, exFAT). */
export const folding = (fs: FileSystem): FileSystem => {
  const at = (path: string): string => unfold(fs, path)
  return {
    ...fs,
    lstat: (path) => fs.lstat(at(path)),
    readdir: (path) => fs.readdir(at(path)),
    readlink: (path) => fs.readlink(at(path)),
    open: (path, flags) => fs.open(at(path), flags),
    link: (existing, path) => fs.link(at(existing), at(path)),
    rename: (from, to) => fs.rename(at(from), at(to)),
    unlink: (path) => fs.unlink(at(path)),
    mkdir: (path, mode) => fs.mkdir(at(path), mode),
    rmdir: (path) => fs.rmdir(at(path)),
    symlink: (target, path) => fs.symlink(target, at(path)),
    chmod: (path, mode) => fs.chmod(at(path), mode),
    utimes: (path, ns) => fs.utimes(at(path), ns),
  }
}

export interface DiskFolder {
  readonly root: string
  readonly fs: FileSystem
  readonly disk: Disk
  /** The absolute path of a name in the folder. */
  readonly at: (name: string) => string
  readonly text: (name: string) => string
  /** What an unhindered look sees. */
  readonly seen: (name: string) => Promise<Seen>
  /** Stages a small file. */
  readonly stage: (name: string, text: string, more?: Partial<Content>) => Promise<void>
  readonly take: (step: Step) => Promise<StepResult>
}

/** A marked folder in a temporary directory, with a disk over its file system as `wrap` has it. */
export const diskFolder = async (wrap: (fs: FileSystem) => FileSystem = (fs) => fs): Promise<DiskFolder> => {
  const root = temporaryFolder()
  const plain = inlineDisk(nodeFileSystem(root))
  await plain.mark('m1')
  const fs = wrap(nodeFileSystem(root))
  const disk = inlineDisk(fs)
  const at = (name: string): string => join(root, name)
  return {
    root,
    fs,
    disk,
    at,
    text: (name) => readFileSync(at(name), 'utf8'),
    seen: async (name) => seenIn((await plain.look([path(name)]))[0] ?? { tag: 'none' }),
    stage: async (name, text, more) => {
      const bytes = bytesOf(text)
      const [result] = await plain.stageFiles([{ stage: name, content: contentOf(bytes, more), bytes }])
      if (result?.tag !== 'staged') throw new Error(`not staged: ${JSON.stringify(result)}`)
    },
    take: async (step) => {
      const [result] = await disk.apply([step])
      if (result === undefined) throw new Error('a step had no result')
      return result
    },
  }
}

/** What a look saw, where it must have seen something. */
export const seenIn = (result: { readonly tag: string; readonly seen?: Seen | undefined }): Seen => {
  if (result.seen === undefined) throw new Error(`nothing was seen: ${JSON.stringify(result)}`)
  return result.seen
}
