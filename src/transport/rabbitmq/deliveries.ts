import * as E from 'fp-ts/lib/Either.js'
import type { AgentKey } from '../../domain/events.ts'
import type { Envelope, Peer } from '../port.ts'
import { parseObject, type FrameError } from '../session/framing.ts'
import { MAX_HEAD, MAX_PAYLOAD, NO_BYTES } from '../port.ts'
import type { Delivery } from './amqp.ts'
import type { JsonObject } from '../../protocol/json.ts'
import { PROVES_ITSELF } from './letter.ts'
import { ENROL, shardOf } from './names.ts'
import { CONTENT_TYPE, frameIn } from './wire.ts'

/** A request as it came off a queue. */
export interface Taken {
  readonly envelope: Envelope
  readonly from: Readonly<Peer>
  /** The broker's name for who sent it. */
  readonly user: string
  /** What its sender says that it has read; undefined: a client of PySync, which can't say. */
  readonly read: unknown
}

/** `dead`: nobody who may be answered sent it; otherwise the sender is told. */
export type NotTaken =
  | { readonly tag: 'dead' | 'refused' | 'busy'; readonly reason: string }
  | { readonly tag: 'wrong'; readonly error: Pick<FrameError, 'code' | 'reason'> }

/** Who sent a message, and where its answer goes. */
interface From {
  readonly user: string
  readonly replyTo: string
  /** An operator sends it again, with the gateways' own credentials: what it says must prove itself. */
  readonly resent: boolean
}

const AGENT = /^[0-9A-F]{32}$/
/** Direct reply-to, which nobody else can read; and queues that the broker named, for clients of PySync. */
const ANSWERABLE = /^(amq\.rabbitmq\.reply-to\.|amq\.gen-)/

const dead = (reason: string): E.Either<NotTaken, never> => E.left({ tag: 'dead', reason })
const wrong = (code: FrameError['code'], reason: string): E.Either<NotTaken, never> => E.left({ tag: 'wrong', error: { code, reason } })

/** Who sent it, as the broker has checked; undefined: somebody who is not enrolled. */
const senderOf = (user: string): AgentKey | undefined =>
  // The form of an AgentKey has just been checked.
  AGENT.test(user) ? (user as AgentKey) : undefined

/** What must hold before anything of a message is looked at: a sender that the broker vouches for, and an answer that reaches it alone. */
const wrongEnvelope = ({ properties }: Delivery, gateways: string): E.Either<NotTaken, From> => {
  // The client's types say that they are strings, but whoever publishes may leave them out.
  const { userId: user, replyTo, headers = {} } = properties as { userId?: string; replyTo?: string; headers?: Record<string, unknown> }
  if (user === undefined || user === '') return dead('it names no sender that the broker has checked (user_id)')
  const resent = user === gateways
  if (user !== ENROL && !resent && !AGENT.test(user)) return dead('its sender is no agent')
  if (replyTo === undefined || !ANSWERABLE.test(replyTo)) return dead('its answer would go to somebody else (reply_to)')
  if ('x-death' in headers) return dead('it comes out of another queue (x-death)')
  return E.right({ user, replyTo, resent })
}

/** `gateways`: their own user. `shard`: of the queue that it came from; undefined for chunks, which any gateway takes. */
export const takeFramed = (
  delivery: Delivery,
  gateways: string,
  shard: { readonly is: number; readonly of: number } | undefined,
): E.Either<NotTaken, Taken> => {
  const from = wrongEnvelope(delivery, gateways)
  if (E.isLeft(from)) return from
  if (delivery.properties.contentType !== CONTENT_TYPE) return wrong('format', `The content type must be ${CONTENT_TYPE}.`)
  const frame = frameIn(delivery.content)
  if (E.isLeft(frame)) return wrong(frame.left.code, frame.left.reason)
  const { type, head, payload } = frame.right
  if (type !== 'request') return wrong('format', `A frame of the type ${type} is not for a gateway.`)
  const { Folder: folder } = head
  const asks = mayAsk(from.right, head['Action'])
  if (E.isLeft(asks)) return asks
  // A copy in another folder's queue would be handled by another gateway, out of order.
  if (shard !== undefined && typeof folder === 'string' && shardOf(folder, shard.of) !== shard.is)
    return wrong('format', 'The folder belongs to another queue: sign in again to learn which.')
  const nonce: unknown = delivery.properties.headers?.['nonce']
  const read: unknown = delivery.properties.headers?.['read']
  return E.right({
    envelope: { message: head, payload },
    from: peerOf(from.right.resent ? asSigned(from.right, head) : from.right, typeof nonce === 'string' ? nonce : '', false),
    user: from.right.user,
    read: read ?? [],
  })
}

const peerOf = ({ user, replyTo }: From, nonce: string, plain: boolean): Readonly<Peer> => ({
  id: `${user} ${replyTo} ${nonce}`,
  address: `amqp/${user}`,
  nonce,
  agent: senderOf(user),
  plain,
})

/**
 * A letter that is sent again counts as from the agent that it names: nothing comes of it but changes (see {@link mayAsk}), and these are
 * taken only with that agent's own signature over them, whoever brings them.
 */
const asSigned = (from: From, { Agent: agent }: JsonObject): From => {
  const key = typeof agent === 'object' && agent !== null && 'Key' in agent ? agent['Key'] : undefined
  return { ...from, user: typeof key === 'string' ? key.toUpperCase() : from.user }
}

/** What somebody may ask for who is not enrolled, or whom the broker takes for that: a sign-in tells a revoked agent so, and has no effect. */
const ENROLLING: ReadonlySet<unknown> = new Set(['RegisterUser', 'RegisterAgent', 'SignIn'])

const mayAsk = ({ user, resent }: From, action: unknown): E.Either<NotTaken, void> => {
  if (user === ENROL && !ENROLLING.has(action))
    return E.left({ tag: 'refused', reason: 'The enrolment account may only register, and ask whether an agent is welcome.' })
  // Else whoever holds the gateways' credentials could ask in any agent's name.
  if (resent && !PROVES_ITSELF.has(action))
    return E.left({ tag: 'refused', reason: 'Only what proves by itself who made it may be sent again.' })
  return E.right(undefined)
}

/** PySync's: JSON is a request, everything else the next bytes of the file that was announced. */
export const takePlain = (delivery: Delivery, gateways: string): E.Either<NotTaken, Taken> => {
  const from = wrongEnvelope(delivery, gateways)
  if (E.isLeft(from)) return from
  const envelope = plainEnvelope(delivery)
  if (E.isLeft(envelope)) return envelope
  // Each of PySync's messages brings its own proof, the password.
  const asks = mayAsk({ ...from.right, resent: false }, envelope.right.message['Action'])
  return E.isLeft(asks)
    ? asks
    : E.right({ envelope: envelope.right, from: peerOf(from.right, '', true), user: from.right.user, read: undefined })
}

const plainEnvelope = ({ content, properties }: Delivery): E.Either<NotTaken, Envelope> => {
  const isJson =
    properties.contentType === 'application/json' || (properties.contentType !== 'application/octet-stream' && content[0] === 0x7b)
  if (!isJson && content.length > MAX_PAYLOAD)
    return wrong('tooLarge', `The message has ${content.length} bytes: send contents in pieces of at most ${MAX_PAYLOAD}.`)
  if (!isJson) return E.right({ message: { Action: 'Bytes' }, payload: content })
  if (content.length > MAX_HEAD) return wrong('tooLarge', `The message has ${content.length} bytes; at most ${MAX_HEAD} are allowed.`)
  const message = parseObject(content)
  return E.isLeft(message) ? wrong('format', message.left) : E.right({ message: message.right, payload: NO_BYTES })
}
