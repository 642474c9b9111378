import type { Check, checker } from './check.ts'

/** A server tells its time in whole seconds, and the answer was on its way. */
const NOTICED_MS = 3000
/** S3 servers refuse requests whose time is further from theirs. */
const REFUSED_MS = 15 * 60_000

/** Compares a server's `Date` header with this machine's clock at the time of the answer. */
export const checkClock = (as: ReturnType<typeof checker>, date: string | null | undefined, now: number): Check => {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return as.warning('clock', 'the server does not tell its time', 'see to it that it runs an NTP client')
  const apart = now - theirs
  const seconds = Math.round(Math.abs(apart) / 1000)
  if (Math.abs(apart) < NOTICED_MS) return as.ok('clock', 'the same as here')
  const found = `${seconds} s ${apart > 0 ? 'behind' : 'ahead of'} this machine's`
  const todo = 'run an NTP client (chrony, systemd-timesyncd) on both machines'
  return Math.abs(apart) < REFUSED_MS ? as.warning('clock', found, todo) : as.failed('failed', 'clock', found, todo)
}
