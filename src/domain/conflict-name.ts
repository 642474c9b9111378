import { nameOf, parentOf, type SyncPath } from './path.ts'

const MARK = / \(conflict [^()/]* \d{4}-\d{2}-\d{2} \d{6}(?: [0-9a-f]{8})?\)/u
const MAX_NAME_BYTES = 255

const two = (value: number): string => String(value).padStart(2, '0')

/** The last second that is written with four digits for the year. */
const LATEST_MS = 253_402_300_799_000

const stampOf = (modifiedNs: string): string => {
  const at = new Date(Math.min(LATEST_MS, Math.max(0, Number(BigInt(modifiedNs) / 1_000_000n))))
  const date = `${String(at.getUTCFullYear()).padStart(4, '0')}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`
  return `${date} ${two(at.getUTCHours())}${two(at.getUTCMinutes())}${two(at.getUTCSeconds())}`
}

const cutBytes = (text: string, bytes: number): string => {
  let cut = text
  while (Buffer.byteLength(cut) > bytes) cut = Array.from(cut).slice(0, -1).join('')
  return cut
}

/** An agent's name as it can stand inside a file name. */
const speakable = (agent: string): string => cutBytes(agent.replace(/[()/\p{Cc}]/gu, '').trim(), 64) || 'device'

const splitExtension = (name: string): [string, string] => {
  const dot = name.lastIndexOf('.')
  return dot > 0 && name.length - dot <= 16 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
}

/**
 * The name of a conflict copy: `name (conflict AGENT YYYY-MM-DD HHMMSS).ext`, the time being the version's own, in UTC; in place of
 * an earlier such suffix; cut to 255 bytes. It depends on the version alone, so that a crash makes no second copy. `digits` (of the
 * content's hash) make it distinct where another version took that name in the same second.
 */
export const conflictPath = (path: SyncPath, agent: string, modifiedNs: string, digits?: string): SyncPath => {
  const [stem, extension] = splitExtension(nameOf(path).replace(MARK, ''))
  const suffix = ` (conflict ${speakable(agent)} ${stampOf(modifiedNs)}${digits === undefined ? '' : ` ${digits.slice(0, 8)}`})`
  const name = cutBytes(stem, MAX_NAME_BYTES - Buffer.byteLength(suffix + extension)) + suffix + extension
  const parent = parentOf(path)
  // A valid parent, and a name without a separator of at most 255 bytes.
  return (parent === undefined ? name : `${parent}/${name}`) as SyncPath
}

export const isConflictName = (name: string): boolean => MARK.test(name)

/** The path that a conflict copy was made of. */
export const originalOf = (path: SyncPath): SyncPath => {
  const parent = parentOf(path)
  const name = nameOf(path).replace(MARK, '')
  // The mark was made by conflictPath around a valid name.
  return (parent === undefined ? name : `${parent}/${name}`) as SyncPath
}
