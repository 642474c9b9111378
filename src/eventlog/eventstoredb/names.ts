import { GATEWAY, PACKS, STREAM_KINDS } from '../../protocol/streams.ts'

/** Which of a server's streams are this log's, and what they are called there. */
export interface Names {
  readonly toServer: (stream: string) => string
  /** Undefined: not a stream of this log. */
  readonly fromServer: (name: string) => string | undefined
  /** What the names of all of this log's streams start with; for the server's own filter. */
  readonly prefixes: readonly string[]
}

/** With a prefix all streams that have it are this log's; without one, those of the names that EventSync uses. */
export const namesOf = (prefix: string): Names => {
  const prefixes = prefix === '' ? [...STREAM_KINDS, PACKS, GATEWAY] : [prefix]
  const isOurs = (name: string): boolean =>
    prefix === '' ? name === PACKS || name === GATEWAY || STREAM_KINDS.some((kind) => name.startsWith(kind)) : name.startsWith(prefix)
  return {
    toServer: (stream) => `${prefix}${stream}`,
    fromServer: (name) => (isOurs(name) ? name.slice(prefix.length) : undefined),
    prefixes,
  }
}
