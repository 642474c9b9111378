import * as E from 'fp-ts/lib/Either.js'
import type { AccountId, AgentKey, SignInsRefused } from '../domain/events.ts'
import { encodeAccountEvent, encodeMetadata } from '../protocol/event-codec.ts'
import { uuidV5 } from '../protocol/event-ids.ts'
import { encodeGatewayEvent } from '../protocol/gateway-event-codec.ts'
import type { Answer } from '../protocol/messages.ts'
import { MAX_ADDRESS, MAX_TOLD } from '../protocol/sign-ins-refused-codec.ts'
import { accountStream, GATEWAY } from '../protocol/streams.ts'
import type { AppendFailure, Draft } from './append.ts'
import type { Core } from './core.ts'

/** As whom somebody wanted to come, as far as it was said. */
export interface Attempt {
  readonly address: string | undefined
  /** The account whose password was to prove it; where none was, it is the agent's. */
  readonly account?: AccountId
  readonly agent?: AgentKey
}

/** Refused sign-ins on their way into the log: counted first, so that whoever guesses can't make it grow. */
export interface RefusedSignIns {
  /** Counts an answer, where it refuses whoever asked; others are none of its business. Appends nothing. */
  readonly note: (answer: Pick<Answer, 'status'> & { readonly code?: string }, attempt: Attempt) => void
  /** Appends one event for each account that has refusals to tell of. What can't be appended now is told the next time. */
  readonly flush: () => Promise<void>
}

/** What one account's next event says, as far as it has been counted. */
interface Counted {
  count: number
  readonly first: number
  last: number
  readonly reasons: Map<string, number>
  readonly addresses: Set<string>
  readonly tried: Set<string>
}

type Subject = AccountId | null

/** Accounts that are counted apart; refusals of more than these count as nobody's. */
const MAX_ACCOUNTS = 10_000
const REFUSING: ReadonlySet<number> = new Set([403, 429])

type RefusalsCore = Pick<Core, 'appender' | 'clock' | 'logger' | 'random' | 'state'>

export const createRefusedSignIns = (core: RefusalsCore): RefusedSignIns => {
  const { directory } = core.state
  let waiting = new Map<Subject, Counted>()
  const subjectOf = ({ account, agent }: Attempt): Subject => {
    const meant = account ?? (agent === undefined ? undefined : directory.agent(agent)?.account)
    if (meant === undefined || directory.account(meant) === undefined) return null
    return waiting.has(meant) || waiting.size < MAX_ACCOUNTS ? meant : null
  }
  return {
    note: ({ status, code }, attempt) => {
      if (code === undefined || !REFUSING.has(status)) return
      const subject = subjectOf(attempt)
      const tried = subject === null ? (attempt.account ?? attempt.agent) : attempt.agent
      const counted = waiting.get(subject) ?? nothing(core.clock.wall())
      waiting.set(subject, counted)
      add(counted, { ...nothing(core.clock.wall()), count: 1, reasons: new Map([[code, 1]]), ...told(attempt.address, tried) })
    },
    flush: async () => {
      const due = [...waiting]
      waiting = new Map()
      for (let next = due.shift(); next !== undefined; next = due.shift()) {
        const appended = await append(core, ...next)
        if (E.isRight(appended)) continue
        core.logger.warn('refused sign-ins could not be appended: they are counted on', appended.left)
        waiting = joined([next, ...due], waiting)
        return
      }
    },
  }
}

const nothing = (now: number): Counted => ({
  count: 0,
  first: now,
  last: now,
  reasons: new Map(),
  addresses: new Set(),
  tried: new Set(),
})

const told = (address: string | undefined, tried: string | undefined): Pick<Counted, 'addresses' | 'tried'> => ({
  addresses: new Set(address === undefined ? [] : [address.slice(0, MAX_ADDRESS)]),
  tried: new Set(tried === undefined ? [] : [tried]),
})

/** Adds what came later. */
const add = (counted: Counted, more: Counted): void => {
  counted.count += more.count
  counted.last = more.last
  for (const [reason, count] of more.reasons) counted.reasons.set(reason, (counted.reasons.get(reason) ?? 0) + count)
  for (const address of more.addresses) if (counted.addresses.size < MAX_TOLD) counted.addresses.add(address)
  for (const tried of more.tried) if (counted.tried.size < MAX_TOLD) counted.tried.add(tried)
}

const joined = (earlier: readonly (readonly [Subject, Counted])[], later: ReadonlyMap<Subject, Counted>): Map<Subject, Counted> => {
  const all = new Map(earlier)
  for (const [subject, more] of later) {
    const counted = all.get(subject)
    if (counted === undefined) all.set(subject, more)
    else add(counted, more)
  }
  return all
}

const append = async (core: RefusalsCore, subject: Subject, counted: Counted): Promise<E.Either<AppendFailure, void>> => {
  const draft = draftOf(core, subject, counted)
  const stream = subject === null ? GATEWAY : accountStream(subject)
  const written = await core.appender.append<never, undefined>(stream, async () => E.right({ drafts: [draft], result: undefined }))
  return E.map(() => undefined)(written)
}

const draftOf = ({ clock, random }: RefusalsCore, subject: Subject, counted: Counted): Draft => {
  const { count, first, last, reasons, addresses, tried } = counted
  const said = { count, first, last, reasons: Object.fromEntries(reasons), addresses: [...addresses], tried: [...tried] }
  const about = <A extends Subject>(account: A): SignInsRefused<A> => ({ type: 'SignInsRefused', account, ...said })
  return {
    id: uuidV5(`refused/${subject ?? ''}/${first}/${random(8).toString('hex')}`),
    ...(subject === null ? encodeGatewayEvent(about(null)) : encodeAccountEvent(about(subject))),
    metadata: encodeMetadata({ ...(subject === null ? {} : { account: subject }), time: clock.wall(), proof: 'gateway' }),
  }
}

const MINUTE_MS = 60_000

/** Each minute until the signal aborts: what was refused goes into the log. */
export const runMinutely = async ({ clock }: Pick<Core, 'clock'>, refused: RefusedSignIns, signal: AbortSignal): Promise<void> => {
  for (;;) {
    await clock.sleep(MINUTE_MS, signal)
    if (signal.aborted) return
    await refused.flush()
  }
}
