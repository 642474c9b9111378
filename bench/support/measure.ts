/** What a measured value is held against. `timesFloor`: the same work by `cp`, in the same minute. */
export type Bar = { readonly atMost: number } | { readonly atLeast: number } | { readonly timesFloor: number }

export type Unit = 's' | 'ms' | 'MiB' | 'KiB' | '%' | '/s'

/** One line of the table: a value measured in several runs. */
export interface Measure {
  readonly name: string
  readonly unit: Unit
  readonly values: readonly number[]
  readonly bar?: Bar
  /** What the floor took in each of the runs. */
  readonly floor?: readonly number[]
  readonly note?: string
}

/** A quantile of some numbers, interpolated; 0.5: the median. */
export const quantile = (values: readonly number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** What the value may be, in its own unit. */
export const limitOf = ({ bar, floor = [] }: Measure): number | undefined => {
  if (bar === undefined) return undefined
  if ('timesFloor' in bar) return bar.timesFloor * median(floor)
  return 'atMost' in bar ? bar.atMost : bar.atLeast
}

/** Whether the median keeps its bar; undefined where there is none. */
export const passes = (measure: Measure): boolean | undefined => {
  const limit = limitOf(measure)
  if (limit === undefined || measure.bar === undefined) return undefined
  return 'atLeast' in measure.bar ? median(measure.values) >= limit : median(measure.values) <= limit
}
