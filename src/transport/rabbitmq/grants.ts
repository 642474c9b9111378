import { CHUNKS, ENROL, NOTIFICATIONS, PYSYNC, REQUESTS } from './names.ts'

/** Whom the broker knows: an enrolled agent that signs, a client of PySync, a device that is about to register. */
export type UserKind = 'agent' | 'plain' | 'enrol'

/** What the broker asks about (rabbitmq_auth_backend_http): fields of a form. */
export type Question = Readonly<Record<string, string | undefined>>

/** The names of queues that a user may make, read and write. */
const ownQueue = (kind: UserKind, user: string, name: string): boolean =>
  kind === 'agent' ? name.startsWith(`agent.${user}.`) : name.startsWith('amq.gen-')

const WRITES: Readonly<Record<UserKind, ReadonlySet<string>>> = {
  agent: new Set([REQUESTS, CHUNKS]),
  plain: new Set([PYSYNC]),
  enrol: new Set([REQUESTS, PYSYNC]),
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

/** Topics: an agent hears of what is addressed to its own key, and publishes nothing. */
export const isTopicGranted = (kind: UserKind, { username, name, permission, routing_key: key }: Question): boolean =>
  kind === 'agent' && name === NOTIFICATIONS && permission === 'read' && key === username

/** Its password is no secret: what comes of it is only what anybody may ask who reaches the gateway. */
export const isEnrolment = ({ username, password }: Question): boolean => username === ENROL && password === ENROL
