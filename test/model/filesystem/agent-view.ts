import type { FileSystem } from '../../../src/filesystem/port.ts'
import type { SimDisk } from './sim-disk.ts'

/** What stands between an agent's process and its device's disk. */
export interface Guard {
  /**
   * Called before each call with the paths that it names ('' where it names a descriptor): others may act first, the call may be made to fail,
   * or the process to die (a throw). `sealed`: nobody may act between the previous call and this one.
   */
  before(call: string, paths: readonly string[], sealed: boolean): void
  /** Runs the call as the agent. */
  during<T>(run: () => T): T
}

/** The last lstat of a process: the one thing that a following rename or unlink may rely on, for want of an atomic exchange in Node. */
interface LastLook {
  readonly path: string
  readonly ino: bigint | undefined
}

/** The file system as one agent process sees it: every call passes the guard. */
export const agentView = (disk: SimDisk, guard: Guard): FileSystem => {
  let look: LastLook | undefined
  const inoOf = (path: string): bigint | undefined => {
    try {
      return disk.lstat(path).ino
    } catch {
      return undefined
    }
  }
  const isSealed = (call: string, onto: string | undefined): boolean =>
    (call === 'rename' || call === 'unlink') &&
    onto !== undefined &&
    look !== undefined &&
    (look.path === onto || (look.ino !== undefined && look.ino === inoOf(onto)))
  const pass = <T>(call: string, paths: readonly string[], run: () => T): T => {
    const sealed = isSealed(call, paths.at(-1))
    look = undefined
    guard.before(call, paths, sealed)
    const result = guard.during(run)
    if (call === 'lstat') look = { path: paths[0] ?? '', ino: inoOf(paths[0] ?? '') }
    return result
  }
  return {
    lstat: (path) => pass('lstat', [path], () => disk.lstat(path)),
    readdir: (path) => pass('readdir', [path], () => disk.readdir(path)),
    readlink: (path) => pass('readlink', [path], () => disk.readlink(path)),
    open: (path, flags) => pass(flags === 'r' ? 'open' : 'openToWrite', [path], () => disk.open(path, flags)),
    fstat: (fd) => pass('fstat', [], () => disk.fstat(fd)),
    read: (fd, buffer, position) => pass('read', [], () => disk.read(fd, buffer, position)),
    write: (fd, buffer, position) => pass('write', [], () => disk.write(fd, buffer, position)),
    truncate: (fd, size) => pass('truncate', [], () => disk.truncate(fd, size)),
    fsync: (fd) => pass('fsync', [], () => disk.fsync(fd)),
    // Closing never fails here, and must also work on the way out of a failed call.
    close: (fd) => guard.during(() => disk.close(fd)),
    link: (existing, path) => pass('link', [existing, path], () => disk.link(existing, path)),
    rename: (from, to) => pass('rename', [from, to], () => disk.rename(from, to)),
    unlink: (path) => pass('unlink', [path], () => disk.unlink(path)),
    mkdir: (path, mode) => pass('mkdir', [path], () => disk.mkdir(path, mode)),
    rmdir: (path) => pass('rmdir', [path], () => disk.rmdir(path)),
    symlink: (target, path) => pass('symlink', [path], () => disk.symlink(target, path)),
    chmod: (path, mode) => pass('chmod', [path], () => disk.chmod(path, mode)),
    utimes: (path, modifiedNs) => pass('utimes', [path], () => disk.utimes(path, modifiedNs)),
    fsyncDirectory: (path) => pass('fsyncDirectory', [path], () => disk.fsyncDirectory(path)),
    syncAll: () => pass('syncAll', [], () => disk.syncAll()),
  }
}
