import type { FileStat } from '../../filesystem/port.ts'
import type { SyncPath } from '../../domain/path.ts'
import { io } from './errors.ts'
import type { Look } from './port.ts'
import type { Session } from './session.ts'
import { seenOf } from './stat.ts'
import { createVisit } from './visit.ts'

/** What a stat says of an entry; `device` is that of the directory that it is in. */
export const lookOf = (path: SyncPath, stat: FileStat, device: bigint): Look => {
  if (stat.kind === 'other') return { tag: 'special', path, reason: 'neither a file, a folder nor a symlink' }
  if (stat.kind === 'directory' && stat.dev !== device) return { tag: 'unknown', path, error: io('another device is mounted here') }
  return { tag: 'seen', path, seen: seenOf(stat, stat.kind) }
}

/** Looks at each path by its exact name. In a folder that has lost its marker nothing is absent, all is unknown (I15). */
export const look = (session: Session, paths: readonly SyncPath[]): readonly Look[] => {
  const visit = createVisit(session)
  const root = visit.find('')
  const device = root.tag === 'found' ? root.stat.dev : -1n
  const looks = paths.map((path): Look => {
    const found = visit.find(path)
    if (found.tag === 'found') return lookOf(path, found.stat, device)
    return found.tag === 'failed' ? { tag: 'unknown', path, error: found.error } : { tag: 'absent', path }
  })
  const error = visit.lost()
  return error === undefined ? looks : paths.map((path) => ({ tag: 'unknown', path, error }))
}
