import { Worker } from 'node:worker_threads'
import { workerUrl } from '../lib/worker-url.ts'
import { verify, verifyAsync } from '../protocol/signing.ts'
import type { Question } from './verify-worker.ts'

interface Asked {
  readonly question: Question
  readonly resolve: (right: boolean | Promise<boolean>) => void
}

/** Questions of one message to the thread: each costs the threads some 10 us, and what waits for its answers should not wait for many. */
const MAX_GROUP = 16

/** After so long without a signature one that comes has this thread to itself: it takes 0.15 ms here, and the way to the pool and back three times as long. */
const REST_MS = 5

/**
 * Checks signatures beside everything else, but for one that comes after a rest. Of those that come later one at a time is checked on the thread pool; of a burst the others go to a thread of their own, which is
 * started by the first burst: on the pool they would stand before every read and write of the store, and on few cores its four threads would take the gateway's own.
 * How many wait is bounded by the requests under way (I16). Where the thread fails the pool does it all.
 */
export const verifyByThread = (): Disposable & { readonly verify: typeof verifyAsync } => {
  let alone = 0
  let lastAt = -Infinity
  let gathered: Asked[] = []
  const asked: (readonly Asked[])[] = []
  let worker: Worker | undefined
  let failed = false
  const onPool = ({ question, resolve }: Asked): void => resolve(verifyAsync(...question))
  const fail = (): void => {
    failed = true
    for (const group of asked.splice(0)) group.forEach(onPool)
  }
  const start = (): Worker => {
    const started = new Worker(workerUrl('./verify-worker', import.meta.url))
    started.on('message', (answers: readonly boolean[]) => asked.shift()?.forEach(({ resolve }, index) => resolve(answers[index] === true)))
    started.on('error', fail)
    started.on('exit', fail)
    return started
  }
  const send = (): void => {
    const all = gathered
    gathered = []
    if (failed) return all.forEach(onPool)
    worker ??= start()
    for (let at = 0; at < all.length; at += MAX_GROUP) {
      const group = all.slice(at, at + MAX_GROUP)
      asked.push(group)
      worker.postMessage(
        group.map(({ question }) => question),
        [],
      )
    }
  }
  const onThread = (question: Question): Promise<boolean> =>
    new Promise((resolve) => {
      if (gathered.length === 0) setImmediate(send)
      gathered.push({ question, resolve })
    })
  return {
    verify: async (...question) => {
      const rested = performance.now() - lastAt >= REST_MS
      lastAt = performance.now()
      if (rested && alone === 0 && asked.length === 0 && gathered.length === 0) return verify(...question)
      if (alone > 0 || asked.length > 0 || gathered.length > 0) return onThread(question)
      alone += 1
      try {
        return await verifyAsync(...question)
      } finally {
        alone -= 1
      }
    },
    [Symbol.dispose]: () => void worker?.terminate(),
  }
}
