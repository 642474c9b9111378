const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_557_600 } as const

/** Seconds of a time span such as `365d`, `36h` or `2w` (s, m, h, d, w, y: a year has 365.25 days); undefined where it is none. */
export const durationSeconds = (text: string): number | undefined => {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([smhdwy])$/.exec(text.trim())
  const [, number, unit] = match ?? []
  if (number === undefined || unit === undefined) return undefined
  // The pattern has matched one of the units.
  return Math.round(Number(number) * UNITS[unit as keyof typeof UNITS])
}
