/** A seeded stream of random numbers (sfc32): all chance in a model run comes from one of these, so that a seed replays it. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  int(below: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly [T, ...T[]]): T
  /** A stream of its own, so that what one part of the world draws does not shift what another part draws. */
  fork(): Random
}

const seedState = (seed: number): [number, number, number, number] => [0x9e3779b9 ^ seed, 0x243f6a88 + seed, 0xb7e15162, 1]

export const randomFrom = (seed: number): Random => {
  let [a, b, c, counter] = seedState(seed | 0)
  const next32 = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return t >>> 0
  }
  for (let round = 0; round < 12; round++) next32()
  const next = (): number => next32() / 2 ** 32
  const int = (below: number): number => Math.floor(next() * below)
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    // The index is within the list, which is not empty.
    pick: <T>(list: readonly [T, ...T[]]): T => list[int(list.length)] as T,
    fork: () => randomFrom(next32()),
  }
}
