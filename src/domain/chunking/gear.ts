/** The seed of the gear table. Part of the format: another table cuts elsewhere, and nothing would be found again (docs/protocol.md). */
export const GEAR_SEED = 0x45_53_59_4e // "ESYN"

const SIZE = 256

/** splitmix32: one well mixed number for each state. */
const mix = (state: number): number => {
  let z = state | 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return z ^ (z >>> 15)
}

/**
 * 256 numbers of 32 bits, one for each byte value: the (i + 1)-th state is `seed + (i + 1) * 0x9e3779b9`, and the table holds its mix.
 * (In a run of one byte value the hash settles at minus that value's number, so none may be 0 or within 2^14 below 2^32: the
 * tests run every byte value, and a change of the seed must pass them.)
 */
export const gearTable = (seed: number): Int32Array => Int32Array.from({ length: SIZE }, (_, i) => mix(seed + Math.imul(i + 1, 0x9e3779b9)))
