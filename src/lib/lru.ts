/** A map of bounded weight: what was not asked for the longest goes first. */
export interface Lru<K, V> {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, value: V) => void
  readonly delete: (key: K) => void
  readonly clear: () => void
}

export const createLru = <K, V>(capacity: number, weigh: (value: V) => number = () => 1): Lru<K, V> => {
  const entries = new Map<K, V>()
  let weight = 0
  const remove = (key: K): V | undefined => {
    const value = entries.get(key)
    if (value !== undefined) weight -= weigh(value)
    entries.delete(key)
    return value
  }
  const evict = (): void => {
    for (const key of entries.keys()) {
      if (weight <= capacity) return
      remove(key)
    }
  }
  return {
    get: (key) => {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set: (key, value) => {
      remove(key)
      entries.set(key, value)
      weight += weigh(value)
      evict()
    },
    delete: (key) => void remove(key),
    clear: () => {
      entries.clear()
      weight = 0
    },
  }
}
