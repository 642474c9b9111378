import { pino } from 'pino'

/** Structured words of a daemon: a message, and fields beside it. Never a secret in either. */
export interface Log {
  debug(message: string, fields?: object): void
  info(message: string, fields?: object): void
  warn(message: string, fields?: object): void
  error(message: string, fields?: object): void
}

/** Writes to stdout: lines for a person where that is a terminal, one JSON object a line otherwise. */
export const createLog = async (level: string): Promise<Log> => {
  const options = { level, base: null }
  const log = process.stdout.isTTY ? pino(options, await readable()) : pino(options)
  const write =
    (at: keyof Log) =>
    (message: string, fields: object = {}): void =>
      log[at](fields, message)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

const readable = async () => {
  const { default: pretty } = await import('pino-pretty')
  return pretty({ sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' })
}
