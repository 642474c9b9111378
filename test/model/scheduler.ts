import type { Clock } from '../../src/lib/clock.ts'

/** Where a simulated device's own clock stands against the world's time; a clock jump changes it. */
export interface Skew {
  wallMs: number
}

interface Timer {
  readonly due: number
  readonly order: number
  /** Undefined once cancelled. */
  run: (() => void) | undefined
  /** It resolves no promise, so that no microtask can wait for it. */
  readonly still: boolean
}

const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

/** The run goes on and on: whoever asks for more time or work gets this. It has no `code`, so that nobody takes it for a failed call. */
export class Livelock extends Error {
  constructor(what: string) {
    super(`it goes on and on: ${what}`)
  }
}

/**
 * So many turns (events, and calls of the simulated processes to their clocks and disks) a run may take: many times as many as any that comes to rest. Whatever
 * loops makes such calls, whether it lets time pass or not.
 */
const MOST_TURNS = 500_000

/** The world's epoch: a fixed date, so that runs do not depend on the real one. */
const EPOCH_MS = Date.UTC(2026, 0, 1)

/**
 * The only time that a model run knows. Events run one by one in the order of their time (ties: in the order they were asked for),
 * and between two events every microtask drains; so a run is a function of its seed.
 */
export class Scheduler {
  #now = 0
  #order = 0
  #turns = 0
  readonly #mostTurns: number
  readonly #heap: Timer[] = []

  constructor(mostTurns = MOST_TURNS) {
    this.#mostTurns = mostTurns
  }

  /** Milliseconds since the run began. */
  get now(): number {
    return this.#now
  }

  /** How many turns the run has taken. */
  get turns(): number {
    return this.#turns
  }

  /** Counts an event, or a call of a simulated process; throws once there are too many. */
  turn(): void {
    this.#turns += 1
    if (this.#turns > this.#mostTurns) throw new Livelock(`${this.#mostTurns} turns were taken by ${this.#now.toFixed(0)} ms`)
  }

  wallMs(skew: Skew): number {
    return EPOCH_MS + this.#now + skew.wallMs
  }

  /** Lets time pass inside an event (work that takes time); what falls due meanwhile runs after it. */
  spend(ms: number): void {
    this.#now += ms
  }

  /** Calls `run` after `ms`; returns how to cancel. `still`: it resolves no promise (spares a turn of the event loop). */
  after(ms: number, run: () => void, still = false): () => void {
    const timer: Timer = { due: this.#now + Math.max(0, ms), order: this.#order++, run, still }
    this.#push(timer)
    return () => {
      timer.run = undefined
    }
  }

  /** Runs all events due within `ms`, then stands there; stops early when `until` says so (asked after every event). */
  async runFor(ms: number, until: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms
    await this.settle()
    while (!until()) {
      const timer = this.#heap[0]
      if (timer === undefined || timer.due > end) break
      this.turn()
      this.#pop()
      if (timer.run === undefined) continue
      this.#now = Math.max(this.#now, timer.due)
      timer.run()
      if (!timer.still) await this.settle()
    }
    if (!until()) this.#now = Math.max(this.#now, end)
  }

  /** Runs events until the promise settles; for work that must be done before the run goes on (it may also wait for real threads). */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const done = (): void => {
      settled = true
    }
    promise.then(done, done)
    await this.settle()
    while (!settled) {
      this.turn()
      const timer = this.#pop()
      if (timer?.run !== undefined) {
        this.#now = Math.max(this.#now, timer.due)
        timer.run()
      }
      await this.settle()
    }
    return promise
  }

  /** Drains all microtasks. */
  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** A device's clock. Once `alive` says no, a sleep never ends: the process that slept is gone. */
  clock(skew: Skew, alive: () => boolean): Clock {
    return {
      monotonic: () => {
        this.turn()
        return this.#now
      },
      wall: () => {
        this.turn()
        return Math.floor(this.wallMs(skew))
      },
      sleep: (ms, signal) => this.#sleep(ms, signal, alive),
    }
  }

  #sleep(ms: number, signal: AbortSignal | undefined, alive: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve()
      const done = (): void => {
        cancel()
        signal?.removeEventListener('abort', done)
        if (alive()) resolve()
      }
      const cancel = this.after(ms, done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || !before(timer, parent)) break
      heap[at] = parent
      at = up
    }
    heap[at] = timer
  }

  #pop(): Timer | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const child = right !== undefined && left !== undefined && before(right, left) ? right : left
      if (child === undefined || !before(child, last)) break
      heap[at] = child
      at = child === left ? 2 * at + 1 : 2 * at + 2
    }
    heap[at] = last
    return top
  }
}
