const FARTHEST = 10n ** 20n - 1n

/**
 * A file's time as it can be told to others: nanoseconds of at most 20 digits (docs/protocol.md), some 3,168 years from 1970 either way. File systems
 * hold later ones (btrfs, ZFS, tmpfs); such a time is cut, here and wherever it is compared, so that it is no change and keeps no message back.
 */
export const fileTime = (ns: bigint): bigint => {
  if (ns > FARTHEST) return FARTHEST
  return ns < -FARTHEST ? -FARTHEST : ns
}
