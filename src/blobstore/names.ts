import { type Hash, isHash } from '../domain/content.ts'

export const CHUNKS = 'chunks/'
export const PACKS = 'packs/'

/** 256 directories each, by the first two digits: none grows too large for a file system, and a listing stays in pieces. */
export const chunkName = (hash: Hash): string => `${CHUNKS}${hash.slice(0, 2)}/${hash}`
export const packName = (pack: string): string => `${PACKS}${pack.slice(0, 2)}/${pack}`

/** The hash that an object's name promises, or undefined where it is no such name. */
export const hashInName = (name: string): Hash | undefined => {
  const hash = name.slice(name.lastIndexOf('/') + 1)
  return isHash(hash) && (name === chunkName(hash) || name === packName(hash)) ? hash : undefined
}
