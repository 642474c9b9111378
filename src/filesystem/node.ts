import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { fileTime } from './file-time.ts'
import { HeldDirectories } from './held-directories.ts'
import type { DirectoryName, FileStat, FileSystem } from './port.ts'

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = fs.constants

/** Non-blocking, so that a FIFO that took a file's place cannot stop us in `open`; it means nothing for files. */
const FLAGS = {
  r: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  'r+': O_RDWR | O_NOFOLLOW | O_NONBLOCK,
  wx: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
} as const

const REPLACEMENT = '\uFFFD'
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const kindOf = (stat: fs.BigIntStats): FileStat['kind'] => {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  return stat.isSymbolicLink() ? 'symlink' : 'other'
}

const statOf = (stat: fs.BigIntStats): FileStat => ({
  kind: kindOf(stat),
  size: Number(stat.size),
  mtimeNs: fileTime(stat.mtimeNs),
  ctimeNs: stat.ctimeNs,
  ino: stat.ino,
  dev: stat.dev,
  mode: Number(stat.mode & 0o7777n),
  nlink: Number(stat.nlink),
})

/** An error as node:fs throws it, for what node:fs itself does not find. */
const failure = (code: string, message: string): Error => Object.assign(new Error(`${code}: ${message}`), { code })

const decoded = (bytes: Uint8Array): string | undefined => {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes for a person to read: what is not printable ASCII as \xHH. */
const escaped = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('')

/** Only a name in which U+FFFD shows may have lost bytes in decoding: then the directory is listed again, as bytes. */
const namesIn = (directory: string): readonly DirectoryName[] => {
  const names = fs.readdirSync(directory)
  if (!names.some((name) => name.includes(REPLACEMENT))) return names.map((name) => ({ name, raw: name }))
  return fs.readdirSync(directory, { encoding: 'buffer' }).map((bytes) => {
    const name = decoded(bytes)
    return { name, raw: name ?? escaped(bytes) }
  })
}

const targetOf = (path: string): string => {
  const target = fs.readlinkSync(path)
  if (!target.includes(REPLACEMENT)) return target
  const exact = decoded(fs.readlinkSync(path, { encoding: 'buffer' }))
  if (exact === undefined) throw failure('EILSEQ', 'the target of the symlink is not UTF-8')
  return exact
}

const writeAll = (fd: number, buffer: Uint8Array, position: number): void => {
  for (let done = 0; done < buffer.length;) done += fs.writeSync(fd, buffer, done, buffer.length - done, position + done)
}

const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b))

/**
 * Seconds as the double that comes back as the same microsecond (until 2106, when doubles become too coarse): the nearest one where the system's
 * cutting keeps that (so whole seconds are kept to the nanosecond), and otherwise the middle of the microsecond. A numeric string, since node takes a negative number (a
 * time before 1970) for "now".
 */
const secondsOf = (ns: bigint): string => {
  const seconds = floorDivide(ns, 1_000_000_000n)
  const rest = Number(ns - seconds * 1_000_000_000n)
  const nearest = Number(seconds) + rest / 1e9
  const lands = Math.trunc((nearest - Number(seconds)) * 1e9)
  const kept = ns >= 0n && Math.floor(lands / 1000) === Math.floor(rest / 1000)
  return String(kept ? nearest : (Number(floorDivide(ns, 1000n)) + 0.5) / 1e6)
}

const withOpen = (path: string, flags: number, use: (fd: number) => void): void => {
  const fd = fs.openSync(path, flags)
  try {
    use(fd)
  } finally {
    fs.closeSync(fd)
  }
}

const sync = (args: string[]): string | undefined => {
  const { status, stderr, error } = spawnSync('sync', args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  return status === 0 ? undefined : (error?.message ?? stderr.trim())
}

/**
 * `sync -f` waits for this file system alone, and tells of writes that failed. Plain `sync` tells nothing: it is only for systems whose
 * `sync` does not know the option.
 */
const syncFileSystem = (root: string): void => {
  const failed = sync(['-f', root])
  if (failed === undefined) return
  const stillFailed = /option|usage/i.test(failed) ? sync([]) : failed
  if (stillFailed !== undefined) throw failure('EIO', `sync failed: ${stillFailed}`)
}

/** The machine's own file system under `root` (an absolute path; a symlink there is followed, none below it ever is). */
export const nodeFileSystem = (root: string): FileSystem => {
  const base = root.endsWith('/') ? root : `${root}/`
  const at = (path: string): string => base + path
  let held: HeldDirectories | undefined
  const within = (path: string): string => {
    held?.begin()
    return held?.at(path) ?? at(path)
  }
  return {
    lstat: (path) => statOf(fs.lstatSync(at(path), { bigint: true })),
    readdir: (path) => namesIn(at(path)),
    readlink: (path) => targetOf(at(path)),
    open: (path, flags) => fs.openSync(at(path), FLAGS[flags], 0o666),
    fstat: (fd) => statOf(fs.fstatSync(fd, { bigint: true })),
    read: (fd, buffer, position) => fs.readSync(fd, buffer, 0, buffer.length, position),
    write: writeAll,
    truncate: (fd, size) => fs.ftruncateSync(fd, size),
    fsync: (fd) => fs.fsyncSync(fd),
    close: (fd) => fs.closeSync(fd),
    link: (existing, path) => fs.linkSync(at(existing), within(path)),
    rename: (from, to) => fs.renameSync(within(from), held?.at(to) ?? at(to)),
    unlink: (path) => fs.unlinkSync(within(path)),
    mkdir: (path, mode) => fs.mkdirSync(within(path), { mode }),
    rmdir: (path) => fs.rmdirSync(within(path)),
    symlink: (target, path) => fs.symlinkSync(target, within(path)),
    chmod: (path, mode) => withOpen(within(path), FLAGS.r, (fd) => fs.fchmodSync(fd, mode)),
    utimes: (path, modifiedNs) => fs.lutimesSync(within(path), secondsOf(modifiedNs), secondsOf(modifiedNs)),
    hold: () => {
      const directories = new HeldDirectories(base)
      held = directories
      return {
        forget: () => directories.forget(),
        [Symbol.dispose]: () => {
          held = undefined
          directories.forget()
        },
      }
    },
    fsyncDirectory: (path) => withOpen(at(path), O_RDONLY | O_DIRECTORY, (fd) => fs.fsyncSync(fd)),
    syncAll: () => syncFileSystem(base),
  }
}
