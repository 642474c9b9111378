import * as E from 'fp-ts/lib/Either.js'
import type { DeviceError } from '../agent/device/error.ts'
import type { ConfigError } from '../config.ts'

/** Why a command did not do what it was asked for. `reason` is for a person: what happened, to what, and what to do next. */
export interface Failure {
  readonly kind: 'failed' | 'usage' | 'notInSync' | 'unreachable' | 'refused' | 'damaged'
  readonly reason: string
}

export type Outcome<A = void> = E.Either<Failure, A>

export const fail = (kind: Failure['kind'], reason: string): E.Either<Failure, never> => E.left({ kind, reason })

const KIND_OF: Record<DeviceError['tag'], Failure['kind']> = {
  NotRegistered: 'usage',
  OtherAccount: 'usage',
  Busy: 'failed',
  BadFolder: 'usage',
  Unusable: 'failed',
}

export const fromDevice = <A>(result: E.Either<DeviceError, A>): Outcome<A> =>
  E.mapLeft((error: DeviceError): Failure => ({ kind: KIND_OF[error.tag], reason: error.reason }))(result)

export const fromConfig = <A>(result: E.Either<readonly ConfigError[], A>): Outcome<A> =>
  E.mapLeft((errors: readonly ConfigError[]): Failure => ({
    kind: 'usage',
    reason: errors.map(({ setting, reason }) => `${setting} ${reason}`).join('; '),
  }))(result)
