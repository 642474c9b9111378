import type { Scheduler } from './scheduler.ts'

/** A race that no call comes to is over after so long. */
const ENDS_MS = 400

interface Race {
  calls: number
  readonly run: () => void
}

/** What is to happen right before a coming call of an agent to its disk. */
export class Races {
  readonly #scheduler: Scheduler
  readonly #races = new Set<Race>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** `patient`: it waits for that call for ever; otherwise it happens after a while at the latest. */
  add(calls: number, run: () => void, patient = false): void {
    const race = { calls, run }
    this.#races.add(race)
    if (!patient) this.#scheduler.after(ENDS_MS, () => this.#run(race), true)
  }

  /** A call is about to be made. */
  count(): void {
    if (this.#races.size === 0) return
    for (const race of [...this.#races]) if (--race.calls <= 0) this.#run(race)
  }

  /** No call comes any more for those that wait for one; the others happen now. */
  clear(): void {
    this.#races.clear()
  }

  #run(race: Race): void {
    if (this.#races.delete(race)) race.run()
  }
}
