import { DIRECTORY, type ContentId } from '../content-id.ts'
import type { DeviceEvidence, Evidence, LogEntry } from './evidence.ts'
import type { OnStep } from './fold.ts'

const COPY = / \(conflict [^()/]* \d{4}-\d{2}-\d{2} \d{6}(?: [0-9a-f]{8})?\)/u

/** A version that the log had of a path, from one moment to another. */
interface Span {
  readonly content: ContentId | 'nothing'
  readonly from: number
}

/** A path without the suffix that a conflict copy's own name has; what lies in a copied folder is no copy. */
const originalOf = (path: string): string => {
  const cut = path.lastIndexOf('/') + 1
  return path.slice(0, cut) + path.slice(cut).replace(COPY, '')
}

/** Where something lay before it was moved aside, or a folder that it is in was. */
export const beforeAside = (path: string): string =>
  path
    .split('/')
    .map((name) => name.replace(COPY, ''))
    .join('/')

/** Whether a conflict copy's name is one that a version of the path would get: a copy of a copy has no second suffix. */
const matches = (path: string, copy: string): boolean => {
  const plain = originalOf(copy)
  const original = originalOf(path)
  return path !== copy && (plain === original || (plain.length > 150 && original.startsWith(plain.slice(0, 150))))
}

/** I13: the same bytes on both sides, or other metadata alone, make no conflict copy; and one version makes one copy at most. */
export const judgeConflicts = (evidence: Evidence): OnStep => {
  const spans = new Map<string, Span[]>()
  const copies = new Map<string, number>()
  const folderCopies = new Map<string, string>()
  const devices = new Map(evidence.devices.map((device) => [device.name, device]))
  const note = (path: string, content: Span['content'], from: number): void =>
    void (spans.get(path)?.push({ content, from }) ?? spans.set(path, [{ content, from }]))
  return (entry) => {
    const { event, content, sequence } = entry
    const device = devices.get(entry.device ?? '')
    if (event.type === 'FileCreated' && originalOf(event.path) !== event.path && device !== undefined && content !== undefined) {
      judgeCopy(evidence, device, entry, event.path, content, spans)
      judgeSecond(evidence, device, entry, event.path, content, copies)
      if (content === DIRECTORY) folderCopies.set(event.path, keyOf(device, event.path, content))
    }
    if (event.type === 'FileMoved') note(event.from, 'nothing', sequence)
    if ('path' in event) note(event.path, content ?? 'nothing', sequence)
    forgetFolderCopy(entry, folderCopies, copies)
  }
}

const madeByUser = (device: DeviceEvidence, copy: string): boolean =>
  device.history.appeared.get(copy)?.some((event) => event.by === 'user') === true

const judgeCopy = (
  evidence: Evidence,
  device: DeviceEvidence,
  entry: LogEntry,
  copy: string,
  content: ContentId,
  spans: ReadonlyMap<string, readonly Span[]>,
): void => {
  if (madeByUser(device, copy)) return
  const originals = [...spans].filter(([path]) => matches(path, copy))
  const isOnlyOne = (versions: readonly Span[]): boolean => versions.every((version) => version.content === content)
  if (originals.length === 0 || !originals.every(([, versions]) => isOnlyOne(versions))) return
  const named = originals.map(([path]) => path).join(', ')
  evidence.trace.violated(
    'I13',
    `${device.name}, revision ${entry.revision}: ${copy} is a copy of ${evidence.contents.show(content)}, and ${named} has never held anything else`,
  )
}

const keyOf = (device: DeviceEvidence, copy: string, content: ContentId): string => `${device.name} ${originalOf(copy)} ${content}`

/**
 * All folders have the same content, so that it tells no version from another: where a folder's copy was itself replaced or deleted in the log, a later copy
 * is one of that copy (or of another folder), and not a second one of the same.
 */
const forgetFolderCopy = ({ event, content }: LogEntry, folderCopies: Map<string, string>, copies: Map<string, number>): void => {
  if (!('path' in event) || content === DIRECTORY) return
  const key = folderCopies.get(event.path)
  if (key === undefined) return
  folderCopies.delete(event.path)
  copies.delete(key)
}

const judgeSecond = (
  evidence: Evidence,
  device: DeviceEvidence,
  entry: LogEntry,
  copy: string,
  content: ContentId,
  copies: Map<string, number>,
): void => {
  const writes = [...device.history.appeared.values()].flat().filter((event) => event.by === 'user' && event.content === content).length
  const key = keyOf(device, copy, content)
  const earlier = copies.get(key)
  copies.set(key, entry.revision)
  if (earlier === undefined || writes > 1 || device.cuts.length > 0 || madeByUser(device, copy)) return
  evidence.trace.violated(
    'I5',
    `${device.name}, revision ${entry.revision}: ${copy} is the second conflict copy of one version (the first: revision ${earlier})`,
  )
}
