import * as E from 'fp-ts/lib/Either.js'
import { decodeAnswer } from '../../protocol/answer.ts'
import type { Answer, Code, Request } from '../../protocol/messages.ts'
import { encodeRequest } from '../../protocol/request.ts'
import { NO_BYTES } from '../../transport/port.ts'
import type { FolderContext } from './context.ts'

/** Why a request brought no usable answer. */
export type CallError =
  /** It may or may not have been handled: try again once there is a connection. */
  | { readonly tag: 'Unreachable'; readonly reason: string }
  /** The gateway cannot do it now. */
  | { readonly tag: 'Later'; readonly reason: string }
  | { readonly tag: 'Refused'; readonly status: number; readonly code: Code; readonly reason: string }

type Answered<T extends Answer['tag']> = Extract<Answer, { readonly tag: T }>

export interface Reply<T extends Answer['tag']> {
  readonly answer: Answered<T>
  readonly payload: Uint8Array
}

const LATER: ReadonlySet<number> = new Set([429, 500, 503, 507])

/** Refusals after which this device can do nothing more until a person acts. */
const FINAL: ReadonlySet<Code> = new Set<Code>(['revoked', 'agent', 'signature', 'folder', 'password'])

const fails = (error: CallError): E.Either<CallError, never> => E.left(error)

/** Asks the gateway and reads its answer, one of the expected kinds. */
export const call = async <T extends Answer['tag']>(
  ctx: FolderContext,
  request: Request,
  expected: readonly T[],
  payload: Uint8Array = NO_BYTES,
): Promise<E.Either<CallError, Reply<T>>> => {
  const message = encodeRequest(request, ctx.deps.clock.wall() / 1000)
  const sent = await ctx.deps.transport.request({ message, payload }, ctx.signal)()
  if (E.isLeft(sent)) return fails({ tag: sent.left.tag === 'TooLarge' ? 'Later' : 'Unreachable', reason: sent.left.reason })
  const decoded = decodeAnswer(request.tag, sent.right.message)
  if (E.isLeft(decoded))
    return fails({ tag: 'Later', reason: `the gateway's answer cannot be read (${decoded.left.field}: ${decoded.left.reason})` })
  const answer = decoded.right
  if (answer.tag === 'Refused') return fails(refusal(answer))
  if (!isOneOf(answer, expected)) return fails({ tag: 'Later', reason: `the gateway gave an answer of another kind (${answer.tag})` })
  return E.right({ answer, payload: sent.right.payload })
}

const isOneOf = <T extends Answer['tag']>(answer: Answer, expected: readonly T[]): answer is Answered<T> =>
  expected.some((tag) => tag === answer.tag)

const refusal = (answer: Answered<'Refused'>): CallError =>
  LATER.has(answer.status)
    ? { tag: 'Later', reason: answer.reason }
    : { tag: 'Refused', status: answer.status, code: answer.code, reason: answer.reason }

/** Notes why a call failed, for `status`, and ends the folder's run where only a person can help. */
export const noteFailure = (ctx: FolderContext, error: CallError): void => {
  ctx.lastError = error.reason
  if (error.tag === 'Refused' && FINAL.has(error.code)) ctx.fail({ tag: 'Refused', reason: error.reason })
}
