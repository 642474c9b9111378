import type { Scheduler } from './scheduler.ts'

/** The invariants that a run is judged by (DESIGN.md, section 8); `model`: a program threw; `status`: an agent says what is not so; `livelock`: it never ends. */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'I14'
  | 'I15'
  | 'I17'
  | 'I18'
  | 'model'
  | 'status'
  | 'livelock'

export interface Violation {
  readonly invariant: Invariant
  readonly text: string
}

/** What happened in a run, in order: every line has a number, and that order is the only "before" and "after" that the oracle knows. */
export class Trace {
  readonly #scheduler: Scheduler
  readonly #lines: string[] = []
  readonly violations: Violation[] = []
  readonly #kept: boolean
  #sequence = 0

  /** `kept`: whether what is said is kept as text (it costs time; a run that failed is run again with it). */
  constructor(scheduler: Scheduler, kept: boolean) {
    this.#scheduler = scheduler
    this.#kept = kept
  }

  /** The world's time, in milliseconds. */
  get now(): number {
    return this.#scheduler.now
  }

  /** A new moment, later than all before. */
  next(): number {
    return ++this.#sequence
  }

  say(who: string, what: () => string): void {
    if (!this.#kept) return
    this.#lines.push(`${this.#scheduler.now.toFixed(2).padStart(11)} #${String(this.#sequence).padEnd(5)} ${who.padEnd(9)} ${what()}`)
  }

  violated(invariant: Invariant, text: string): void {
    this.violations.push({ invariant, text })
    this.say('ORACLE', () => `${invariant}: ${text}`)
  }

  text(): string {
    return this.#lines.join('\n')
  }
}
