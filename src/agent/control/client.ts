import { connect } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { onLines } from './lines.ts'
import type { ControlAnswer, ControlRequest } from './messages.ts'

export type ControlError =
  /** Nobody listens: no agent runs for the folder. */
  { readonly tag: 'NoAgent' } | { readonly tag: 'TimedOut' } | { readonly tag: 'Broken'; readonly reason: string }

/** Asks the agent that listens at an address; gives up when the signal aborts. */
export const askAgent =
  (address: string, request: ControlRequest, signal?: AbortSignal): TE.TaskEither<ControlError, ControlAnswer> =>
  () =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve(E.left({ tag: 'TimedOut' }))
      const socket = connect(address)
      const finish = (result: E.Either<ControlError, ControlAnswer>): void => {
        signal?.removeEventListener('abort', giveUp)
        socket.destroy()
        resolve(result)
      }
      const giveUp = (): void => finish(E.left({ tag: 'TimedOut' }))
      signal?.addEventListener('abort', giveUp, { once: true })
      socket.on('error', (error) => finish(E.left(failure(error))))
      socket.once('close', () => finish(E.left({ tag: 'Broken', reason: 'the agent stopped before it answered' })))
      socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`))
      // The agent is this same program, on a socket that only this user can reach.
      onLines(socket, (line) => finish(E.right(JSON.parse(line) as ControlAnswer)))
    })

const failure = (error: Error): ControlError =>
  'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    ? { tag: 'NoAgent' }
    : { tag: 'Broken', reason: error.message }
