import { closeSync, fdatasync, fstat, open, openSync, read, rename, renameSync, rm, writeSync, writev } from 'node:fs'
import { promisify } from 'node:util'
import { bytesPassed } from '../../lib/bytes-passed.ts'

// By descriptor, not by file handle: half the cost. Closing what is synced, or was only read, has nothing to wait for: no trip to the thread pool.
const calls = {
  open: promisify(open),
  read: promisify(read),
  writev: promisify(writev),
  fdatasync: promisify(fdatasync),
  rename: promisify(rename),
  rm: promisify(rm),
  fstat: promisify(fstat),
}

/** Linux takes at most 1,024 pieces in one call. */
const MAX_PIECES = 1024

const lengthOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0)

/** What is left of the pieces when so many bytes of them have been written. */
const after = (pieces: readonly Uint8Array[], written: number): readonly Uint8Array[] => {
  let skip = written
  const rest = pieces.findIndex(({ length }) => {
    if (skip < length) return true
    skip -= length
    return false
  })
  const [first, ...others] = rest < 0 ? [] : pieces.slice(rest)
  return first === undefined ? [] : [first.subarray(skip), ...others]
}

/** All of them, however many bytes the system takes at a time. */
const writeAll = async (fd: number, pieces: readonly Uint8Array[]): Promise<void> => {
  let left: readonly Uint8Array[] = pieces.filter(({ length }) => length > 0)
  while (left.length > 0) {
    const now = left.slice(0, MAX_PIECES)
    const { bytesWritten } = await calls.writev(fd, now)
    left = bytesWritten === lengthOf(now) ? left.slice(now.length) : after(left, bytesWritten)
  }
}

/** What is so small goes into the page cache in less time than a trip to the thread pool takes: only its sync waits for the disk there. */
const SMALL = 64 * 1024

const writeAtOnce = (fd: number, pieces: readonly Uint8Array[]): void => {
  for (const piece of pieces) for (let done = 0; done < piece.length;) done += writeSync(fd, piece, done)
}

/**
 * Writes a file that appears whole under its name or not at all: a temporary one, all bytes, its content made durable, then the
 * rename. The caller makes the rename durable. Nothing is left behind where it fails.
 */
export const writeWhole = async (temporary: string, target: string, pieces: readonly Uint8Array[]): Promise<void> => {
  const small = lengthOf(pieces) <= SMALL
  const fd = small ? openSync(temporary, 'wx', 0o600) : await calls.open(temporary, 'wx', 0o600)
  try {
    try {
      if (small) writeAtOnce(fd, pieces)
      else await writeAll(fd, pieces)
      await calls.fdatasync(fd)
    } finally {
      closeSync(fd)
    }
    if (small) renameSync(temporary, target)
    else await calls.rename(temporary, target)
  } catch (error) {
    await calls.rm(temporary, { force: true })
    throw error
  }
}

/** A range of a file, or all of it; fewer bytes where the file ends before. */
export const readRange = async (path: string, range?: { readonly offset: number; readonly length: number }): Promise<Buffer> => {
  const fd = await calls.open(path, 'r')
  try {
    const { offset, length } = range ?? { offset: 0, length: (await calls.fstat(fd)).size }
    bytesPassed(length)
    const buffer = Buffer.allocUnsafeSlow(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await calls.read(fd, buffer, done, length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return buffer.subarray(0, done)
  } finally {
    closeSync(fd)
  }
}
