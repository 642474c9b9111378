import * as E from 'fp-ts/lib/Either.js'
import { parsePath } from '../../src/domain/path.ts'
import type { Hint, Watch } from '../../src/agent/watch/port.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

const MAX_DELAY_MS = 120

/** A watcher that is told of each change on the disk, and passes it on late, twice, or not at all. */
export class SimWatch implements Watch {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #loss: number
  #hint: ((hint: Hint) => void) | undefined

  constructor(scheduler: Scheduler, random: Random, loss: number) {
    this.#scheduler = scheduler
    this.#random = random
    this.#loss = loss
  }

  start(hint: (hint: Hint) => void): Promise<AsyncDisposable> {
    this.#hint = hint
    return Promise.resolve({ [Symbol.asyncDispose]: async () => this.close() })
  }

  /** Nothing is passed on any more (the process that watched is gone). */
  close(): void {
    this.#hint = undefined
  }

  changed(path: string): void {
    if (this.#hint === undefined || this.#random.chance(this.#loss)) return
    const parsed = parsePath(path)
    if (E.isLeft(parsed)) return
    const hint: Hint = { tag: 'path', path: parsed.right }
    const times = this.#random.chance(0.1) ? 2 : 1
    for (let count = 0; count < times; count++) this.#pass(hint)
  }

  /** The system's queue of events ran over. */
  overflow(): void {
    this.#pass({ tag: 'everything', reason: 'events were lost' })
  }

  #pass(hint: Hint): void {
    this.#scheduler.after(this.#random.int(MAX_DELAY_MS), () => this.#hint?.(hint))
  }
}
