import type { RandomBytes } from './options.ts'

/** `first`: short, so that a gateway that was only restarted costs little. `refused`: after a refused sign-in. */
export const PAUSES = { first: 50, longest: 30_000, refused: 60_000 } as const

/** A connection that lasted so long was a good one: the pauses start again from the first. */
export const STABLE_MS = 1000

/** The pause after so many failures in a row: twice as long each time, and up to a half shorter, so that many agents do not come all at once. */
export const pauseAfter = (failures: number, longest: number, random: RandomBytes): number => {
  const whole = Math.min(longest, PAUSES.first * 2 ** Math.min(failures, 30))
  const [a = 0, b = 0] = random(2)
  return whole * (0.5 + (a * 256 + b) / 131_072)
}
