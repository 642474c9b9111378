import type { DatabaseSync } from 'node:sqlite'

/** Odd numbers that spread bits; their products with 32 bits stay below SQLite's 2^63. */
const SPREAD_STREAM = 0x2545f491
const SPREAD = 0x27d4eb2d

/** A sum over records that does not depend on their order: the table's and its index's must be the same. */
export interface RowsSum {
  add(stream: unknown, revision: unknown, position: number): void
  /** Adds records that were summed elsewhere. */
  merge(other: Summed): void
  readonly value: Summed
  equals(other: Summed): boolean
}

export interface Summed {
  readonly count: number
  readonly sum: number
}

export const createRowsSum = (): RowsSum => {
  let count = 0
  let sum = 0
  return {
    add: (stream, revision, position) => {
      const mixed = Math.imul((Math.imul(Number(stream), SPREAD_STREAM) + Number(revision)) >>> 0, SPREAD) >>> 0
      count += 1
      sum = (sum + ((mixed + (position % 2 ** 32)) >>> 0)) % 2 ** 32
    },
    merge: (other) => {
      count += other.count
      sum = (sum + other.sum) % 2 ** 32
    },
    get value() {
      return { count, sum }
    },
    equals: (other) => other.count === count && other.sum === sum,
  }
}

const MASK = 0xffffffff
// Index and rowid alone: the table is not looked at.
const SUM = `
  SELECT count(*) AS count, coalesce(sum(((((((stream * ${SPREAD_STREAM}) & ${MASK}) + revision) & ${MASK}) * ${SPREAD}) + position) & ${MASK}), 0) & ${MASK} AS sum
  FROM events INDEXED BY events_by_stream WHERE position <= ?`

/** The same sum over the index, up to a position. */
export const indexSum = (db: DatabaseSync, last: number): Summed => {
  const row = db.prepare(SUM).get(last)
  return { count: Number(row?.['count']), sum: Number(row?.['sum']) }
}
