import * as E from 'fp-ts/lib/Either.js'
import type { HistoryError } from '../projections/history/port.ts'
import type { Failure, Outcome } from './failure.ts'

/** What an audit could not be answered, in front of people. */
export const fromHistory = <A>(result: E.Either<HistoryError, A>): Outcome<A> =>
  E.mapLeft(({ tag, reason }: HistoryError): Failure => ({ kind: KIND_OF[tag], reason }))(result)

const KIND_OF: Readonly<Record<HistoryError['tag'], Failure['kind']>> = {
  Unavailable: 'failed',
  Unreachable: 'unreachable',
  Refused: 'refused',
}
