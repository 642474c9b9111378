import * as E from 'fp-ts/lib/Either.js'
import type { BrokerConfig } from '../config.ts'
import { BrokerError } from '../transport/rabbitmq/amqp.ts'
import {
  openDeadLetters,
  type DeadLetter,
  type DeadLetters,
  type Resent,
  type Shown,
  type Verdict,
} from '../transport/rabbitmq/dead-letters.ts'
import { fail, type Outcome } from './failure.ts'

export type { DeadLetter, Resent, Shown, Verdict }

const CONNECT_MS = 15_000
const ANSWER_MS = 30_000

/** Shows the letters that the broker set aside, the oldest first; each stays where it lies, unless it is to be removed. */
export const walkDeadLetters = async ({ url, shards }: BrokerConfig, visit: (letter: Shown) => Promise<Verdict>): Promise<Outcome> => {
  try {
    await using letters: DeadLetters = await openDeadLetters({
      broker: { url },
      shards,
      signal: AbortSignal.timeout(CONNECT_MS),
      patienceMs: ANSWER_MS,
    })
    return E.right(await letters.walk(visit))
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    return failureOf(error)
  }
}

const failureOf = ({ tag, message }: BrokerError): Outcome<never> => {
  switch (tag) {
    case 'refused':
      return fail('refused', 'the broker did not let this user in: check the user, password and virtual host in EVENTSYNC_AMQP_URL')
    case 'away':
      return fail('unreachable', `${message} Check EVENTSYNC_AMQP_URL, and that the broker runs.`)
    case 'held':
      return fail('failed', 'somebody else looks at the dead letters now: try again when that has ended')
    case 'nothing':
      return fail('failed', message)
  }
}
