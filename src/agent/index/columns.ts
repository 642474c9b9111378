import type { SQLInputValue } from 'node:sqlite'
import type { Content } from '../../domain/content.ts'
import { encodeBase, encodeLocal, encodeRemote } from './codec.ts'
import { type Entry, fileHash, type Node, wantedHash } from './node.ts'

type Values = Record<string, SQLInputValue>

const PARTS = ['local', 'base', 'remote'] as const

const textOf = ({ local, base, remote }: Node, part: (typeof PARTS)[number]): string | null => {
  if (part === 'local') return local === undefined ? null : encodeLocal(local)
  if (part === 'base') return base === undefined ? null : encodeBase(base)
  return remote === undefined ? null : encodeRemote(remote)
}

/** The columns that hold the three trees' states. */
export const textsOf = (node: Node): Values => ({
  local: textOf(node, 'local'),
  base: textOf(node, 'base'),
  remote: textOf(node, 'remote'),
})

/** The columns that nodes are found by. */
export const keysOf = (node: Node, state: number): Values => ({
  hash: fileHash(node.local?.content),
  base_hash: fileHash(node.base?.content),
  want_hash: wantedHash(node, state),
  state,
})

/** The columns in which two forms of a node differ: SQLite writes an index anew at each UPDATE that names one of its columns. */
export const changedBetween = (before: Entry, { node, state }: Entry): Values => {
  const changed: Values = {}
  for (const part of PARTS) if (before.node[part] !== node[part]) changed[part] = textOf(node, part)
  const old = keysOf(before.node, before.state)
  for (const [name, value] of Object.entries(keysOf(node, state))) if (old[name] !== value) changed[name] = value
  return changed
}

const chunksIn = (state: { readonly content?: Content | undefined } | undefined): number =>
  state?.content?.manifest.tag === 'chunks' ? state.content.manifest.chunks.length : 0

/** What a node takes in memory: about a kilobyte each for itself and for some of its chunks. */
export const weightOf = ({ node: { local, base, remote } }: Entry): number =>
  1 + Math.floor((chunksIn(local) + chunksIn(base) + chunksIn(remote)) / 8)
