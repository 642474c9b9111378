import { CHUNKS, ENROL, NOTIFICATIONS, PYSYNC, REQUESTS } from './names.ts'

/** Whom the broker knows: an enrolled agent that signs, a client of PySync, a device that is about to register (where PySync's may come, too). */
export type UserKind = 'agent' | 'plain' | 'enrol' | 'enrolPlain'

/** What the broker asks about (rabbitmq_auth_backend_http): fields of a form. */
export type Question = Readonly<Record<string, string | undefined>>

/** Whether a user may make, read and bind a queue of this name. The broker chooses the names of PySync's: they cannot be guessed. */
const ownQueue = (kind: UserKind, user: string, name: string): boolean => {
  switch (kind) {
    case 'agent':
      return name.startsWith(`agent.${user}.`)
    case 'plain':
    case 'enrolPlain':
      return name.startsWith('amq.gen-')
    case 'enrol':
      return false
  }
}

const WRITES: Readonly<Record<UserKind, ReadonlySet<string>>> = {
  agent: new Set([REQUESTS, CHUNKS]),
  plain: new Set([PYSYNC]),
  enrol: new Set([REQUESTS]),
  enrolPlain: new Set([REQUESTS, PYSYNC]),
}

/**
 * Whether a user may do what the broker asks (docs/protocol.md, "Who may do what on the broker"). Whatever is not named here is refused,
 * the default exchange above all: through it one reaches every queue, and the addresses of others' answers.
 */
export const isGranted = (kind: UserKind, { username = '', resource, name = '', permission }: Question): boolean => {
  switch (resource) {
    case 'exchange':
      return (permission === 'write' && WRITES[kind].has(name)) || (kind === 'agent' && permission === 'read' && name === NOTIFICATIONS)
    case 'queue':
      return ownQueue(kind, username, name) && (permission !== 'write' || kind === 'agent')
    default:
      return false
  }
}

export const isDeclaring = ({ resource, permission }: Question): boolean => resource === 'queue' && permission === 'configure'

/** Topics: an agent hears of what is addressed to its own key, and publishes nothing. */
export const isTopicGranted = (kind: UserKind, { username, name, permission, routing_key: key }: Question): boolean =>
  kind === 'agent' && name === NOTIFICATIONS && permission === 'read' && key === username

/** Its password is no secret: what comes of it is only what anybody may ask who reaches the gateway. */
export const isEnrolment = ({ username, password }: Question): boolean => username === ENROL && password === ENROL
