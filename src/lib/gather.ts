/**
 * Group commit: while one group is being flushed the next gathers, and every item gets its own group's result. A group weighs at most
 * `maxWeight`, or is one item. `flush` must not reject.
 */
export const createGatherer = <I, R>(
  flush: (group: readonly I[]) => Promise<R>,
  maxWeight: number,
  weigh: (item: I) => number,
): ((item: I) => Promise<R>) => {
  let waiting: { readonly item: I; readonly resolve: (result: R) => void }[] = []
  let running = false
  const take = (): typeof waiting => {
    let weight = 0
    const beyond = waiting.findIndex(({ item }, index) => (weight += weigh(item)) > maxWeight && index > 0)
    const group = beyond < 0 ? waiting : waiting.slice(0, beyond)
    waiting = beyond < 0 ? [] : waiting.slice(beyond)
    return group
  }
  const run = async (): Promise<void> => {
    running = true
    while (waiting.length > 0) {
      const group = take()
      const result = await flush(group.map(({ item }) => item))
      for (const { resolve } of group) resolve(result)
    }
    running = false
  }
  return (item) =>
    new Promise((resolve) => {
      waiting.push({ item, resolve })
      if (!running) void run()
    })
}
