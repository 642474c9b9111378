/** Runs tasks, at most so many at a time; the others wait in the order in which they came. */
export type Limit = <A>(task: () => Promise<A>) => Promise<A>

export const createLimit = (max: number): Limit => {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running < max) running += 1
    // Whoever ends hands its place over, so the count stays.
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
