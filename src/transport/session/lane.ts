/** One piece of work; `bytes` is what it holds in memory until it is done. */
export interface Job {
  readonly bytes: number
  /** Whether it may begin beside others; asked again at `advance`. */
  readonly fits?: () => boolean
  /** Starts synchronously; never rejects. */
  readonly run: () => Promise<void>
}

export interface LaneLimits {
  readonly jobs: number
  readonly bytes: number
}

/**
 * Starts jobs in the order of their arrival, a bounded number at a time, and stops the flow of new ones while some wait (I16):
 * only what the wire had already handed over waits here.
 */
export class Lane {
  readonly #limits: LaneLimits
  readonly #flow: { readonly pause: () => void; readonly resume: () => void }
  #waiting: Job[] = []
  #running = 0
  #bytes = 0
  #paused = false
  #stopped = false
  readonly #idle: (() => void)[] = []

  constructor(limits: LaneLimits, flow: { readonly pause: () => void; readonly resume: () => void }) {
    this.#limits = limits
    this.#flow = flow
  }

  /** Jobs that have begun and are not done. */
  get running(): number {
    return this.#running
  }

  add(job: Job): void {
    if (this.#stopped) return
    this.#waiting.push(job)
    this.advance()
  }

  /** Starts nothing more, forgets what waits, lets the flow run (to be ignored); resolves when what has begun is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#waiting = []
    this.#setPaused(false)
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Starts what may begin; to be called where a job's `fits` has changed. */
  advance(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next); next = this.#waiting[0]) {
      this.#waiting.shift()
      void this.#start(next)
    }
    this.#setPaused(this.#waiting.length > 0)
  }

  #fits(job: Job): boolean {
    if (this.#running === 0) return true
    return this.#running < this.#limits.jobs && this.#bytes + job.bytes <= this.#limits.bytes && job.fits?.() !== false
  }

  async #start(job: Job): Promise<void> {
    this.#running += 1
    this.#bytes += job.bytes
    await job.run()
    this.#running -= 1
    this.#bytes -= job.bytes
    if (!this.#stopped) return this.advance()
    if (this.#running === 0) for (const done of this.#idle.splice(0)) done()
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    if (paused) this.#flow.pause()
    else this.#flow.resume()
  }
}
