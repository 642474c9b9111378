import type { Worker } from 'node:worker_threads'
import { outgoing } from './outgoing.ts'
import type { Answer, WorkName } from './protocol.ts'

/** A call and who waits for it. */
export interface Pending {
  readonly id: number
  readonly name: WorkName
  readonly args: readonly unknown[]
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** A running worker with the calls that it holds. */
export interface Crew {
  load(): number
  send(pending: Pending): void
  /** Ends it; what it holds is rejected with `reason`. */
  stop(reason: string): Promise<void>
}

const settle = (pending: Pending, answer: Answer): void => {
  if ('bug' in answer) pending.reject(new Error(`disk work "${pending.name}" failed: ${answer.bug}`))
  else pending.resolve(answer.result)
}

/** `answered` is called after each answer, `ended` once when the worker is no more, for whatever reason. */
export const createCrew = (worker: Worker, answered: () => void, ended: () => void): Crew => {
  const running = new Map<number, Pending>()
  let reason: string | undefined
  worker.on('message', (answer: Answer) => {
    const pending = running.get(answer.id)
    running.delete(answer.id)
    if (pending !== undefined) settle(pending, answer)
    answered()
  })
  worker.on('error', (error: Error) => (reason ??= `the disk worker stopped: ${error.message}`))
  worker.on('messageerror', () => void worker.terminate())
  worker.on('exit', () => {
    for (const pending of running.values()) pending.reject(new Error(reason ?? `the disk worker exited in "${pending.name}"`))
    running.clear()
    ended()
  })
  return {
    load: () => running.size,
    send: (pending) => {
      const { args, memory } = outgoing(pending.name, pending.args)
      running.set(pending.id, pending)
      worker.postMessage({ id: pending.id, name: pending.name, args }, memory)
    },
    stop: async (why) => {
      reason ??= why
      await worker.terminate()
    },
  }
}
