import * as E from 'fp-ts/lib/Either.js'

/** A moment as a person names it: a time, in milliseconds since the epoch, or a position in a log. */
export type When = { readonly tag: 'time'; readonly time: number } | { readonly tag: 'position'; readonly position: number }

export const WHEN_FORM =
  'a position (4711), a time (2026-11-20, 2026-11-20T18:30, 2026-11-20T17:30Z), or words (3 days ago, yesterday 18:30, last tuesday)'

const time = (value: number): When => ({ tag: 'time', time: value })

/**
 * Reads a moment. Times without a zone are this machine's; a day is its first moment, and a named weekday the latest that has begun (`last`: before today).
 * Days, weeks, months and years go back by the calendar. `now` in milliseconds.
 */
export const parseWhen = (text: string, now: number): E.Either<string, When> => {
  const words = text.trim().toLowerCase().replaceAll(/\s+/g, ' ')
  const when = position(words) ?? isoTime(text.trim()) ?? ago(words, now) ?? day(words, now)
  return when === undefined ? E.left(`"${text}" is no moment: give ${WHEN_FORM}`) : E.right(when)
}

const position = (words: string): When | undefined => (/^\d{1,15}$/.test(words) ? { tag: 'position', position: Number(words) } : undefined)

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$/i

const isoTime = (text: string): When | undefined => {
  const match = ISO.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0))
  const millisecond = Math.floor(Number(`0.${match[7] ?? '0'}`) * 1000)
  if (month < 1 || month > 12 || date < 1 || date > daysIn(year, month) || hour > 24 || minute > 59 || second > 60) return undefined
  const parts = [year, month - 1, date, hour, minute, second, millisecond] as const
  const zone = match[8]
  return time(zone === undefined ? new Date(...parts).getTime() : Date.UTC(...parts) - offset(zone))
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

const offset = (zone: string): number => {
  if (/^z$/i.test(zone)) return 0
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))]
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

const SECOND = 1000
const FIXED: Readonly<Record<string, number>> = {
  s: SECOND,
  sec: SECOND,
  second: SECOND,
  min: 60 * SECOND,
  minute: 60 * SECOND,
  h: 3600 * SECOND,
  hour: 3600 * SECOND,
}

const AGO = /^(\d{1,6}|an?) ?([a-z]+?)s?(?: ago)?$/

const ago = (words: string, now: number): When | undefined => {
  const match = AGO.exec(words)
  if (match === null) return undefined
  const count = match[1]?.startsWith('a') === true ? 1 : Number(match[1])
  // "s" alone is a unit, whose plural it would be as well.
  const unit = match[2] ?? ''
  const fixed = FIXED[unit]
  return fixed === undefined ? calendar(unit, count, now) : time(now - count * fixed)
}

const calendar = (unit: string, count: number, now: number): When | undefined => {
  const date = new Date(now)
  if (unit === 'd' || unit === 'day') date.setDate(date.getDate() - count)
  else if (unit === 'w' || unit === 'week') date.setDate(date.getDate() - 7 * count)
  else if (unit === 'month') backMonths(date, count)
  else if (unit === 'y' || unit === 'year') backMonths(date, 12 * count)
  else return undefined
  return time(date.getTime())
}

/** The 31st of a month is the last day of a shorter one. */
const backMonths = (date: Date, count: number): void => {
  const day = date.getDate()
  date.setDate(1)
  date.setMonth(date.getMonth() - count)
  date.setDate(Math.min(day, daysIn(date.getFullYear(), date.getMonth() + 1)))
}

const WEEKDAYS: readonly string[] = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const DAY = /^(?:(last )?([a-z]+))?(?: ?(\d{1,2}):(\d{2}))?$/

const day = (words: string, now: number): When | undefined => {
  if (words === 'now') return time(now)
  const match = words === '' ? null : DAY.exec(words)
  if (match === null) return undefined
  const back = daysBack(match[2] ?? 'today', match[1] !== undefined, now)
  const [hour, minute] = [Number(match[3] ?? 0), Number(match[4] ?? 0)]
  if (back === undefined || hour > 23 || minute > 59) return undefined
  const date = new Date(now)
  return time(new Date(date.getFullYear(), date.getMonth(), date.getDate() - back, hour, minute).getTime())
}

const daysBack = (name: string, last: boolean, now: number): number | undefined => {
  if (name === 'today') return 0
  if (name === 'yesterday') return 1
  const weekday = name.length < 3 ? -1 : WEEKDAYS.findIndex((each) => each.startsWith(name))
  if (weekday < 0) return undefined
  const days = (new Date(now).getDay() - weekday + 7) % 7
  return last && days === 0 ? 7 : days
}
