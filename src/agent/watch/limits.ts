import { readFileSync } from 'node:fs'

/** How many events the kernel keeps for a program; more it drops without a word (16,384 unless configured). */
export const eventQueueLimit = (): number => {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || Infinity
  } catch {
    return Infinity
  }
}

const codeOf = (error: unknown): unknown => (typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined)

const reached = (what: string, setting: string, value: number): string =>
  `The system's limit of ${what} (${setting}) is reached: changes are found by scanning only, which is slower. Raise it with: ` +
  `sudo sysctl ${setting}=${value} && echo ${setting}=${value} | sudo tee /etc/sysctl.d/60-eventsync.conf`

/** What to do about a limit of the system that keeps it from watching; undefined where the error is another one. */
export const limitAdvice = (error: unknown): string | undefined => {
  switch (codeOf(error)) {
    case 'ENOSPC':
      return reached('watched folders', 'fs.inotify.max_user_watches', 1_048_576)
    case 'EMFILE':
      return reached('watching programs', 'fs.inotify.max_user_instances', 1024)
    default:
      return undefined
  }
}
