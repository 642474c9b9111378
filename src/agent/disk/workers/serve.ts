import type { MessagePort } from 'node:worker_threads'
import type { Chunk } from '../../../domain/content.ts'
import type { FileSystem } from '../../../filesystem/port.ts'
import { bytesPassed } from '../../../lib/bytes-passed.ts'
import { createSession, type Session } from '../session.ts'
import { memoryIn, work, type Answer, type Call, type WorkArgs } from './protocol.ts'

const answerTo = (session: Session, { id, name, args }: Call): Answer => {
  try {
    // The pool's types tie a call's arguments to its name; between threads that is not to be seen.
    const task = work[name] as (session: Session, ...args: readonly unknown[]) => unknown
    return { id, result: task(session, ...args) }
  } catch (error) {
    return { id, bug: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

// The pool's types tie a call's arguments to its name.
const chunkOf = ({ args }: Call): Chunk => (args as WorkArgs<'stagePiece'>)[2]

/** A worker's whole life: calls come in, each is done at once, answers go out. */
export const serveDisk = (fs: FileSystem, port: MessagePort): void => {
  const session = createSession(fs)
  port.on('message', (call: Call) => {
    if (call.name === 'stagePiece') bytesPassed(chunkOf(call).size)
    const answer = answerTo(session, call)
    port.postMessage(answer, 'result' in answer ? memoryIn(answer.result) : [])
  })
}
