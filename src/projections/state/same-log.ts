import * as E from 'fp-ts/lib/Either.js'
import type { EventLog, ReadError } from '../../eventlog/port.ts'
import type { StateFold } from '../port.ts'

/** Whether a state was folded from this log: not from another one, nor from one that has been cut or restored from an older copy since. */
export const isOfLog = async (log: Pick<EventLog, 'at' | 'read'>, state: StateFold): Promise<E.Either<ReadError, boolean>> => {
  const checkpoint = state.checkpoint()
  if (checkpoint === 'start') return E.right(true)
  const event = await log.at(checkpoint)()
  if (E.isLeft(event)) return event
  const stream = event.right?.stream
  const head = stream === undefined ? undefined : state.head(stream)
  if (stream === undefined || head === undefined) return E.right(false)
  const last = await log.read(stream, head.revision, 1)()
  return E.map((found: readonly { readonly chain: string }[]) => found[0]?.chain === head.chain)(last)
}
