import type { HistoryEvent, NameBook } from '../../compose/audit.ts'
import { actionWord } from '../../compose/audit-words.ts'
import { bytesText } from '../output.ts'
import { textLine } from './lines.ts'

const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'))
const two = (number: number): string => TWO_DIGITS[number] ?? String(number)

/** A moment of the gateway's clock, in this machine's zone. */
export const timeText = (time: number): string => {
  const at = new Date(time)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

const KEY_DIGITS = 8

/** Who sent it: the device's name, or as much of its key as tells it from others. */
export const whoText = (names: NameBook, { agent, account, proof }: HistoryEvent): string => {
  if (agent !== undefined) return names.agentName(agent) ?? agent.slice(0, KEY_DIGITS)
  return account === undefined ? proof : (names.email(account) ?? account.slice(0, KEY_DIGITS))
}

/** What it says of its path. */
export const whatText = ({ path, from, content, detail }: HistoryEvent): string => {
  if (path === undefined) return detail ?? ''
  const place = from === undefined ? path : `${from} -> ${path}`
  if (content === undefined) return place
  return content.kind === 'directory' ? `${place}/` : `${place} (${content.kind === 'symlink' ? 'link' : bytesText(content.size)})`
}

/** An event for people. */
export const eventLine = (names: NameBook, event: HistoryEvent): string =>
  textLine(
    String(event.revision).padStart(8),
    timeText(event.time),
    whoText(names, event).padEnd(14),
    actionWord(event.type).padEnd(9),
    whatText(event),
  )

/** An event for programs: what is absent is left out. */
export const eventObject = (names: NameBook, event: HistoryEvent): object => {
  const { revision, type, time, clientTime, account, agent, proof, path, from, fileId, content, detail } = event
  return {
    position: revision,
    time: new Date(time).toISOString(),
    action: type,
    path,
    from,
    file: fileId,
    ...content,
    agent,
    agentName: agent === undefined ? undefined : names.agentName(agent),
    account,
    email: account === undefined ? undefined : names.email(account),
    proof,
    clientTime,
    // What the index wrote itself.
    ...(detail === undefined ? {} : { detail: JSON.parse(detail) as unknown }),
  }
}
