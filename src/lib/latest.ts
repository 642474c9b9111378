/** What was set last, by key: at least `size` of them, and at most twice as many. Cheaper than an `Lru`, since asking changes nothing. */
export interface Latest<K, V> {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, value: V) => void
  readonly clear: () => void
}

export const createLatest = <K, V>(size: number): Latest<K, V> => {
  let young = new Map<K, V>()
  let old = new Map<K, V>()
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set: (key, value) => {
      if (young.size >= size) {
        old = young
        young = new Map()
      }
      young.set(key, value)
    },
    clear: () => {
      young.clear()
      old.clear()
    },
  }
}
