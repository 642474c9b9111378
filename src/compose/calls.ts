import * as E from 'fp-ts/lib/Either.js'
import { systemClock } from '../lib/clock.ts'
import { decodeAnswer } from '../protocol/answer.ts'
import type { Answer, Request } from '../protocol/messages.ts'
import { encodeRequest } from '../protocol/request.ts'
import { NO_BYTES, type ClientTransport, type TransportError } from '../transport/port.ts'
import { fail, type Failure, type Outcome } from './failure.ts'

/** How long a command waits for the gateway before it calls it out of reach. */
export const REACH_MS = 10_000

type Granted = Exclude<Answer, { tag: 'Refused' }>

export interface GrantedBytes {
  readonly answer: Granted
  readonly payload: Uint8Array
}

/** One request of a command and its answer with the bytes that came along, or why there is none in words for a person. */
export const callForBytes = async (transport: ClientTransport, server: string, request: Request): Promise<Outcome<GrantedBytes>> => {
  const message = encodeRequest(request, systemClock.wall() / 1000)
  const answered = await transport.request({ message, payload: NO_BYTES }, AbortSignal.timeout(REACH_MS))()
  if (E.isLeft(answered)) return E.left(transportFailure(server, answered.left))
  const answer = decodeAnswer(request.tag, answered.right.message)
  if (E.isLeft(answer))
    return fail('failed', `${server} gave an answer that is not of EventSync's form (${answer.left.field} ${answer.left.reason})`)
  return answer.right.tag === 'Refused' ? E.left(refusal(answer.right)) : E.right({ answer: answer.right, payload: answered.right.payload })
}

/** {@link callForBytes} where no bytes come along. */
export const call = async (transport: ClientTransport, server: string, request: Request): Promise<Outcome<Granted>> =>
  E.map(({ answer }: GrantedBytes) => answer)(await callForBytes(transport, server, request))

export const transportFailure = (server: string, error: TransportError): Failure => {
  switch (error.tag) {
    case 'Unreachable':
      return { kind: 'unreachable', reason: `${server} cannot be reached (${error.reason}): check the address, and that the gateway runs` }
    case 'SignInRefused':
      return { kind: 'refused', reason: `${server} refused this device's sign-in: ${error.reason}` }
    case 'TooLarge':
      return { kind: 'failed', reason: error.reason }
  }
}

const refusal = ({ status, code, reason }: Extract<Answer, { tag: 'Refused' }>): Failure => {
  if (status === 403 || status === 429) return { kind: 'refused', reason: `the gateway refused it: ${reason}` }
  if (status === 503) return { kind: 'unreachable', reason: `the gateway cannot do it now: ${reason}` }
  return { kind: status === 400 ? 'usage' : 'failed', reason: `the gateway did not do it: ${reason} (${code})` }
}
