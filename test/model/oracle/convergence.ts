import { idOf } from '../content-id.ts'
import type { Inode } from '../filesystem/inode.ts'
import { isUtf8 } from '../filesystem/names.ts'
import type { DeviceEvidence } from './evidence.ts'
import type { Fold, Version } from './fold.ts'
import { ignoredIn } from './ignored.ts'

const MICROSECOND = 1000n

const sameTime = (inode: Inode, version: Version, tickNs: bigint): boolean => {
  const tick = tickNs > MICROSECOND ? tickNs : MICROSECOND
  return inode.mtimeNs / tick === BigInt(version.content.modified) / tick
}

const isExecutable = (inode: Inode): boolean => (inode.mode & 0o100) !== 0

/** How a path of a device differs from the log's version of it. */
const difference = (inode: Inode, version: Version, tickNs: bigint): string | undefined => {
  if (idOf(inode) !== version.id) return 'holds another content'
  if (inode.kind === 'directory') return undefined
  if (inode.kind === 'file' && isExecutable(inode) !== version.content.executable) return 'has another executable bit'
  return sameTime(inode, version, tickNs) ? undefined : 'has another modification time'
}

const ancestors = (path: string): string[] => {
  const names = path.split('/')
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'))
}

/** Paths of the log that a device can't hold beside others, since it takes their names for one; whichever of them it has. */
const clashing = (fold: Fold, key: (name: string) => string): ((path: string) => boolean) => {
  const names = new Map<string, string>()
  const clashes = new Set<string>()
  for (const path of fold.live.keys()) {
    const folded = path.split('/').map(key).join('/')
    const other = names.get(folded)
    if (other === undefined) names.set(folded, path)
    else clashes.add(other).add(path)
  }
  return (path) => clashes.has(path) || ancestors(path).some((ancestor) => clashes.has(ancestor))
}

/** Whether something that is nobody's business here (a socket) has a path's name, or one that this device takes for the same, or that of a folder above it. */
const besideOther = (tree: ReadonlyMap<string, Inode>, key: (name: string) => string): ((path: string) => boolean) => {
  const folded = (path: string): string => path.split('/').map(key).join('/')
  const others = new Set([...tree].flatMap(([path, { kind }]) => (kind === 'other' ? [folded(path)] : [])))
  return (path) => [path, ...ancestors(path)].some((each) => others.has(folded(each)))
}

/** I2: how the tree on a device differs from the log's, but for what it can't hold, what it ignores, and where a socket is. */
export const differences = (device: DeviceEvidence, fold: Fold): string[] => {
  const tree = device.history.tree()
  const isIgnored = ignoredIn(tree)
  const clashes = clashing(fold, device.key)
  const isBesideOther = besideOther(tree, device.key)
  const found: string[] = []
  for (const [path, version] of fold.live) {
    if (isIgnored(path) || ancestors(path).some(isIgnored)) continue
    const inode = tree.get(path)
    if (inode === undefined && clashes(path)) continue
    if (isBesideOther(path)) continue
    const text = inode === undefined ? 'is missing' : difference(inode, version, device.tickNs)
    if (text !== undefined && !(clashes(path) && inode?.kind === 'directory')) found.push(`${path} ${text}`)
  }
  for (const [path, inode] of tree) {
    if (fold.live.has(path) || isIgnored(path) || isNoBusiness(path, inode)) continue
    if (inode.kind === 'directory' && holdsWhatStays(tree, path, isIgnored)) continue
    found.push(`${path} (${inode.kind}) is not in the log`)
  }
  return found
}

const isNoBusiness = (path: string, inode: Inode): boolean => inode.kind === 'other' || !isUtf8(path)

/** A folder that was deleted elsewhere, and can't go since something in it is nobody's business. */
const holdsWhatStays = (tree: ReadonlyMap<string, Inode>, directory: string, isIgnored: (path: string) => boolean): boolean =>
  [...tree].some(([path, inode]) => path.startsWith(`${directory}/`) && (isIgnored(path) || isNoBusiness(path, inode)))
