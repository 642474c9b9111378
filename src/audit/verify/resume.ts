import { parseJson, type Json } from '../../protocol/json.ts'
import { isHash } from '../../domain/content.ts'

export interface Head {
  readonly stream: string
  readonly revision: number
  readonly chain: string
}

/**
 * How far an earlier run came without finding anything wrong. The log is read again from its start, since its chain shows that it is the same; the
 * signatures that were checked, and the bytes that were read, are not looked at a second time.
 */
export interface Resumed {
  readonly heads: readonly Head[]
  /** The parts of the store that were read. */
  readonly parts: readonly string[]
}

const FORMAT = 1

export const resumeText = ({ heads, parts }: Resumed): string => `${JSON.stringify({ format: FORMAT, heads, parts })}\n`

/** undefined: it is no such file. */
export const readResume = (text: string): Resumed | undefined => {
  const json = parseJson(text)
  if (typeof json !== 'object' || json === null || !('format' in json)) return undefined
  const { format, heads, parts } = json
  const readHeads = listOf(heads, readHead)
  const readParts = listOf(parts, (part) => (typeof part === 'string' ? part : undefined))
  return format !== FORMAT || readHeads === undefined || readParts === undefined ? undefined : { heads: readHeads, parts: readParts }
}

const listOf = <A>(json: Json | undefined, read: (json: Json) => A | undefined): readonly A[] | undefined => {
  if (!Array.isArray(json)) return undefined
  // `Array.isArray` does not narrow readonly arrays.
  const items = (json as readonly Json[]).map(read)
  return items.every((item) => item !== undefined) ? items : undefined
}

const readHead = (json: Json): Head | undefined => {
  if (typeof json !== 'object' || json === null || !('stream' in json)) return undefined
  const { stream, revision, chain } = json
  return typeof stream === 'string' && typeof revision === 'number' && isHash(chain) ? { stream, revision, chain } : undefined
}
