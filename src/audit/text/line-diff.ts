/** Lines that two texts have in common, and those that only one of them has. */
export interface LineChange {
  readonly sign: ' ' | '-' | '+'
  readonly line: string
}

/** Differences beyond which lines are not matched any more: the work grows with their square. */
const MOST = 2000

/** The shortest way from one list of lines to another (Myers); where it is too long, the old lines go and the new ones come. */
export const diffLines = (before: readonly string[], after: readonly string[]): readonly LineChange[] => {
  const start = common(before, after, (lines, index) => lines[index])
  const most = Math.min(before.length, after.length) - start
  const end = Math.min(
    most,
    common(before, after, (lines, index) => lines[lines.length - 1 - index]),
  )
  const [old, fresh] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  return [
    ...before.slice(0, start).map((line): LineChange => ({ sign: ' ', line })),
    ...(shortest(old, fresh) ?? replaced(old, fresh)),
    ...before.slice(before.length - end).map((line): LineChange => ({ sign: ' ', line })),
  ]
}

const common = (
  before: readonly string[],
  after: readonly string[],
  at: (lines: readonly string[], index: number) => string | undefined,
): number => {
  const most = Math.min(before.length, after.length)
  for (let index = 0; index < most; index += 1) if (at(before, index) !== at(after, index)) return index
  return most
}

const replaced = (old: readonly string[], fresh: readonly string[]): LineChange[] => [
  ...old.map((line): LineChange => ({ sign: '-', line })),
  ...fresh.map((line): LineChange => ({ sign: '+', line })),
]

/** Whether a path with so many differences comes to diagonal `k` by an insertion, rather than by a deletion. */
const isDown = (furthest: Int32Array, k: number, differences: number, centre: number): boolean =>
  k === -differences || (k !== differences && (furthest[centre + k - 1] ?? 0) < (furthest[centre + k + 1] ?? 0))

const shortest = (old: readonly string[], fresh: readonly string[]): LineChange[] | undefined => {
  const most = Math.min(old.length + fresh.length, MOST)
  const centre = most + 1
  const furthest = new Int32Array(2 * centre + 1)
  const steps: Int32Array[] = []
  for (let differences = 0; differences <= most; differences += 1) {
    steps.push(furthest.slice(centre - differences - 1, centre + differences + 2))
    for (let k = -differences; k <= differences; k += 2) {
      let x = isDown(furthest, k, differences, centre) ? (furthest[centre + k + 1] ?? 0) : (furthest[centre + k - 1] ?? 0) + 1
      while (x < old.length && x - k < fresh.length && old[x] === fresh[x - k]) x += 1
      furthest[centre + k] = x
      if (x >= old.length && x - k >= fresh.length) return trace(steps, old, fresh)
    }
  }
  return undefined
}

/** Back from the end, over what was the furthest at each number of differences. */
const trace = (steps: readonly Int32Array[], old: readonly string[], fresh: readonly string[]): LineChange[] => {
  const changes: LineChange[] = []
  let [x, y] = [old.length, fresh.length]
  for (let differences = steps.length - 1; differences >= 0; differences -= 1) {
    const furthest = steps[differences] ?? new Int32Array(0)
    const centre = differences + 1
    const k = x - y
    const from = isDown(furthest, k, differences, centre) ? k + 1 : k - 1
    const fromX = differences === 0 ? 0 : (furthest[centre + from] ?? 0)
    const fromY = differences === 0 ? 0 : fromX - from
    while (x > fromX && y > fromY) {
      x -= 1
      y -= 1
      changes.push({ sign: ' ', line: old[x] ?? '' })
    }
    if (differences === 0) break
    if (x === fromX) changes.push({ sign: '+', line: fresh[fromY] ?? '' })
    else changes.push({ sign: '-', line: old[fromX] ?? '' })
    ;[x, y] = [fromX, fromY]
  }
  return changes.toReversed()
}
