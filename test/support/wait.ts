import { setTimeout as pause } from 'node:timers/promises'

/** Asks again and again until the answer is neither undefined nor false; after `seconds` it throws, naming what was waited for. */
export const until = async <A>(what: string, check: () => A | Promise<A>, seconds = 15): Promise<NonNullable<Exclude<A, false>>> => {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const answer = await check()
    // What is neither undefined, null nor false is what is left of A.
    if (answer !== undefined && answer !== null && answer !== false) return answer as NonNullable<Exclude<A, false>>
    if (performance.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`)
    await pause(20)
  }
}

/** The value of a promise, unless it takes longer. */
export const within = async <A>(what: string, promise: Promise<A>, seconds = 15): Promise<A> => {
  const late = new AbortController()
  try {
    return await Promise.race([
      promise,
      pause(seconds * 1000, undefined, { signal: late.signal }).then(() => {
        throw new Error(`waited ${seconds} s for ${what}`)
      }),
    ])
  } finally {
    late.abort()
  }
}
