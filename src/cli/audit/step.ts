import * as E from 'fp-ts/lib/Either.js'
import type { HistoryEvent, NameBook } from '../../compose/audit.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { print, remark } from '../output.ts'
import { auditing, type AuditOptions } from './command.ts'
import { jsonLine, writeBytes } from './lines.ts'
import { eventLine, eventObject } from './words.ts'

/** What whoever walks through the events wants next. */
export type Key = 'next' | 'quit'

/** Shows one event after the other, each when a key asks for it, the first at once. */
export const walk = async (
  events: AsyncIterable<Outcome<HistoryEvent>>,
  show: (event: HistoryEvent) => void,
  key: () => Promise<Key>,
): Promise<Outcome<'end' | 'quit'>> => {
  let first = true
  for await (const event of events) {
    if (E.isLeft(event)) return event
    if (!first && (await key()) === 'quit') return E.right('quit')
    first = false
    show(event.right)
  }
  return E.right('end')
}

/** `eventsync audit replay --step`: the folder's log, event by event. */
export const step = async (options: AuditOptions, until: string | undefined): Promise<Outcome> => {
  const json = options.json === true
  if (!json && !(process.stdin.isTTY && process.stdout.isTTY))
    return fail('usage', '--step waits for keys on a terminal, and there is none: with --json all events are printed at once')
  return auditing(options, async (audit) => {
    const at = await audit.at(until)
    if (E.isLeft(at)) return at
    const { loggedEvents } = await (await import('../../compose.ts')).auditStep()
    const events = loggedEvents(audit, at.right)
    return json ? writeBytes(events, (event) => E.right(jsonLine(eventObject(audit.names, event)))) : onTerminal(events, audit.names)
  })
}

const onTerminal = async (events: AsyncIterable<Outcome<HistoryEvent>>, names: NameBook): Promise<Outcome> => {
  remark('Enter shows the next event, q ends.')
  const ended = await walk(events, (event) => process.stdout.write(eventLine(names, event)), pressed)
  if (E.isRight(ended) && ended.right === 'end') print('That was the last one.')
  return E.map(() => undefined)(ended)
}

const INTERRUPT = '\u0003'
const END = '\u0004'
const QUIT = ['q', 'Q', INTERRUPT, END] as const

/** The next key on the terminal: Ctrl-C and Ctrl-D end it as q does. */
const pressed = (): Promise<Key> =>
  new Promise((resolve) => {
    const { stdin } = process
    stdin.setRawMode(true)
    stdin.setEncoding('utf8')
    stdin.resume()
    const end = (key: Key): void => {
      stdin.off('data', onData).off('end', quit)
      stdin.setRawMode(false)
      stdin.pause()
      resolve(key)
    }
    const quit = (): void => end('quit')
    const onData = (keys: string): void => {
      if (QUIT.some((key) => keys.includes(key))) quit()
      else if (/[\r\n ]/.test(keys)) end('next')
    }
    stdin.on('data', onData).once('end', quit)
  })
