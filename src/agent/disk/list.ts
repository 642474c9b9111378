import * as E from 'fp-ts/lib/Either.js'
import { OWN_DIRECTORY, parsePath, type SyncPath } from '../../domain/path.ts'
import type { FileStat } from '../../filesystem/port.ts'
import { diskErrorOf, isMissing } from './errors.ts'
import { lookOf } from './look.ts'
import { PRIVATE, PRIVATE_MARKERS } from './own.ts'
import type { Listing, Look } from './port.ts'
import type { Session } from './session.ts'
import { createVisit, type Visit } from './visit.ts'

type Result = Listing['result']

/** An entry that goes away while its directory is listed is not in it. */
const entryOf = (session: Session, path: SyncPath, device: bigint): Look | undefined => {
  try {
    return lookOf(path, session.fs.lstat(path), device)
  } catch (error) {
    return isMissing(error) ? undefined : { tag: 'unknown', path, error: diskErrorOf(error) }
  }
}

const entriesOf = (session: Session, directory: SyncPath | '', stat: FileStat): Result => {
  const entries: Look[] = []
  const unnameable: string[] = []
  const prefix = directory === '' ? '' : `${directory}/`
  const names = session.fs.readdir(directory)
  if (directory !== '' && names.some(({ name }) => name !== undefined && PRIVATE_MARKERS.includes(name)))
    return { tag: 'unknown', error: PRIVATE }
  for (const { name, raw } of names) {
    if (directory === '' && name === OWN_DIRECTORY) continue
    const path = name === undefined ? undefined : parsePath(prefix + name)
    if (path === undefined || E.isLeft(path)) {
      unnameable.push(raw)
      continue
    }
    const entry = entryOf(session, path.right, stat.dev)
    if (entry !== undefined) entries.push(entry)
  }
  return { tag: 'listed', entries, unnameable }
}

const listOne = (visit: Visit, directory: SyncPath | ''): Result => {
  const blocked = visit.blocked(directory)
  if (blocked?.tag === 'failed') return { tag: 'unknown', error: blocked.error }
  const found = blocked ?? visit.findAnywhere(directory)
  if (found.tag !== 'found') return { tag: 'absent' }
  try {
    return entriesOf(visit.session, directory, found.stat)
  } catch (error) {
    return isMissing(error) ? { tag: 'absent' } : { tag: 'unknown', error: diskErrorOf(error) }
  }
}

/** Lists each directory. In a folder that has lost its marker, all are unknown (I15). */
export const list = (session: Session, directories: readonly (SyncPath | '')[]): readonly Listing[] => {
  const visit = createVisit(session)
  const listings = directories.map((directory): Listing => ({ directory, result: listOne(visit, directory) }))
  const error = visit.lost()
  return error === undefined ? listings : directories.map((directory) => ({ directory, result: { tag: 'unknown', error } }))
}
