import * as E from 'fp-ts/lib/Either.js'
import type { AccountEvent, AccountId, AgentKey, GatewayEvent } from '../domain/events.ts'
import type { RecordedEvent, StreamReader } from '../eventlog/port.ts'
import { decodeMetadata } from '../protocol/event-codec.ts'
import { decodeLogEvent } from '../protocol/log-event.ts'
import { WITHHELD } from '../protocol/log-page.ts'
import { accountStream, GATEWAY } from '../protocol/streams.ts'

/** An event of an account's stream or of the gateways' own, in front of people. */
export interface AdminEvent {
  readonly stream: string
  readonly revision: number
  /** The gateway's clock, in milliseconds. */
  readonly time: number
  /** Who asked for it. */
  readonly agent: AgentKey | undefined
  readonly event: AccountEvent | GatewayEvent
}

export interface Unreadable {
  readonly tag: 'Unavailable' | 'Damaged'
  readonly reason: string
}

type Read<A> = AsyncGenerator<E.Either<Unreadable, A>, void>

const PAGE = 64

/** Up to where streams have been read: whoever follows them goes on from there. */
export type Cursors = Map<string, number>

/**
 * What happened to an account, beside its files: who was enrolled, renamed, revoked, refused; where `gateways` is set, with what the gateways say of
 * themselves. From `cursors` on, which it moves; by time; a left is the last. Memory holds a page of each stream (I16).
 */
export async function* accountEvents(
  log: StreamReader,
  account: AccountId,
  gateways: boolean,
  cursors: Cursors = new Map(),
): Read<AdminEvent> {
  const streams = [accountStream(account), ...(gateways ? [GATEWAY] : [])].map((stream) => eventsOf(log, stream, cursors))
  const heads = await Promise.all(streams.map((stream) => stream.next()))
  for (;;) {
    let first: { readonly at: number; readonly event: AdminEvent } | undefined
    for (const [at, head] of heads.entries()) {
      if (head.done === true) continue
      if (E.isLeft(head.value)) {
        yield head.value
        return
      }
      if (first === undefined || head.value.right.time < first.event.time) first = { at, event: head.value.right }
    }
    const stream = first === undefined ? undefined : streams[first.at]
    if (first === undefined || stream === undefined) return
    yield E.right(first.event)
    heads[first.at] = await stream.next()
  }
}

/** Where streams stand is of no use to people, and there is one each hour. */
const isTold = ({ type }: AccountEvent | GatewayEvent): boolean => type !== 'Checkpoint' && type !== 'GatewayPassed'

async function* eventsOf(log: StreamReader, stream: string, cursors: Cursors): Read<AdminEvent> {
  for (;;) {
    const page = await log.read(stream, cursors.get(stream) ?? 0, PAGE)()
    if (E.isLeft(page)) {
      yield page
      return
    }
    const last = page.right.at(-1)
    if (last === undefined) return
    for (const recorded of page.right) {
      // A gateway keeps back what proves a password.
      if (recorded.data === WITHHELD) continue
      const read = adminEvent(recorded)
      if (E.isLeft(read)) {
        yield read
        return
      }
      if (isTold(read.right.event)) yield read
    }
    cursors.set(stream, last.revision + 1)
  }
}

const adminEvent = (recorded: RecordedEvent): E.Either<Unreadable, AdminEvent> => {
  const { stream, revision } = recorded
  const damaged = E.left({ tag: 'Damaged' as const, reason: `the event ${revision} of ${stream} cannot be read` })
  const metadata = decodeMetadata(recorded.metadata)
  const decoded = decodeLogEvent(stream, recorded)
  if (E.isLeft(metadata) || E.isLeft(decoded)) return damaged
  const { of, event } = decoded.right
  if (of !== 'account' && of !== 'gateway') return damaged
  return E.right({ stream, revision, time: metadata.right.time, agent: metadata.right.agent, event })
}
