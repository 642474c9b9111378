import type { LogPosition } from '../port.ts'

/** A place in the order of `$all`. */
export interface VendorPosition {
  readonly commit: bigint
  readonly prepare: bigint
}

/** The token holds both numbers: the server takes back only what it gave. */
export const decodePosition = ({ commit, prepare }: VendorPosition): LogPosition => ({ order: commit, token: `${commit}/${prepare}` })

/** Throws at a token of another log: a checkpoint that was carried over. */
export const encodePosition = ({ token }: LogPosition): VendorPosition => {
  const match = /^(\d+)\/(\d+)$/.exec(token)
  if (match?.[1] === undefined || match[2] === undefined) throw new Error(`"${token}" is no position of this log`)
  return { commit: BigInt(match[1]), prepare: BigInt(match[2]) }
}
