import type { AdminEvent } from '../../compose/audit-account-log.ts'
import type { NameBook } from '../../compose/audit.ts'
import { csvRecord, jsonLine, textLine } from './lines.ts'
import { timeText } from './words.ts'

const KEY_DIGITS = 8

type Named<T extends AdminEvent['event']['type']> = Extract<AdminEvent['event'], { type: T }>

/** Of an agent's key; the id of an account that there is not has no name. */
const nameOf = (names: NameBook, tried: string): string | undefined => {
  const [agent] = names.findAgents(tried)
  return agent === undefined ? undefined : names.agentName(agent)
}

const refusedText = ({ count, reasons, addresses, tried }: Named<'SignInsRefused'>, names: NameBook): string => {
  const why = Object.entries(reasons).map(([code, times]) => `${times} ${code}`)
  const who = tried.map((one) => nameOf(names, one) ?? one.slice(0, KEY_DIGITS))
  return `${count} (${why.join(', ')})${addresses.length === 0 ? '' : ` from ${addresses.join(', ')}`}${who.length === 0 ? '' : ` as ${who.join(', ')}`}`
}

/** What an event says beside its type; never what a password can be tried against. */
const whatOf = ({ event }: AdminEvent, names: NameBook): string => {
  switch (event.type) {
    case 'AccountRegistered':
      return event.email
    case 'AgentRegistered':
      return `${event.name} (${event.agent.slice(0, KEY_DIGITS)})${event.vouchedBy === 'operator' ? '' : `, vouched for by ${names.agentName(event.vouchedBy) ?? event.vouchedBy}`}`
    case 'AgentRenamed':
      return `${event.agent.slice(0, KEY_DIGITS)} is ${event.name}`
    case 'AgentRevoked':
      return `${names.agentName(event.agent) ?? event.agent}: ${event.reason}`
    case 'SignInsRefused':
      return refusedText(event, names)
    case 'RetentionStarted':
      return `run ${event.run}: keeps ${event.keepSeconds} s, ${event.keepVersions} versions`
    case 'RetentionEnded':
      return `run ${event.run}: ${event.objects} objects, ${event.bytes} bytes freed`
    case 'GatewayStarted':
    case 'GatewayStopped':
      return event.gateway
    case 'GatewayPassed':
    case 'Checkpoint':
      return ''
  }
}

/** A line of `audit log --account-events` for people. */
export const adminLine = (names: NameBook, told: AdminEvent): string => {
  const { time, agent, event } = told
  const who = agent === undefined ? 'gateway' : (names.agentName(agent) ?? agent.slice(0, KEY_DIGITS))
  return textLine(timeText(time), who.padEnd(14), event.type.padEnd(17), whatOf(told, names))
}

/** The event's own fields, without the password's verifier. */
const fieldsOf = ({ event }: AdminEvent): object => {
  const { type: _, ...own } = event
  const { verifier: __, ...told } = { verifier: undefined, ...own }
  return { ...told, ...('first' in told ? { first: new Date(told.first).toISOString(), last: new Date(told.last).toISOString() } : {}) }
}

/** The columns of {@link adminRecord}. */
export const ADMIN_COLUMNS = ['stream', 'position', 'time', 'action', 'by', 'byName', 'what', 'detail'] as const

/** The same for spreadsheets: `detail` holds the event's own fields as JSON. */
export const adminRecord = (names: NameBook, told: AdminEvent): string => {
  const { stream, revision, time, agent, event } = told
  const byName = agent === undefined ? '' : (names.agentName(agent) ?? '')
  return csvRecord([
    stream,
    revision,
    new Date(time).toISOString(),
    event.type,
    agent ?? '',
    byName,
    whatOf(told, names),
    JSON.stringify(fieldsOf(told)),
  ])
}

/** The same for programs. */
export const adminJson = (names: NameBook, told: AdminEvent): string => {
  const { stream, revision, time, agent, event } = told
  return jsonLine({
    stream,
    position: revision,
    time: new Date(time).toISOString(),
    action: event.type,
    by: agent,
    byName: agent === undefined ? undefined : names.agentName(agent),
    ...fieldsOf(told),
  })
}
