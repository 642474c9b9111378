import type { Fault, Report } from './fault.ts'

/** Checks a signature, on whatever thread has time. */
export type VerifySignature = (publicKey: string, text: string, signature: string) => Promise<boolean>

/** Under way at once: enough to keep all cores busy, few enough to hold. */
const MAX_UNDER_WAY = 256

/** Signatures that are checked beside the reading of the log. */
export class Signatures {
  readonly #verify: VerifySignature
  readonly #report: Report
  #underWay = 0
  #wake: (() => void) | undefined
  checked = 0

  constructor(verify: VerifySignature, report: Report) {
    this.#verify = verify
    this.#report = report
  }

  check(publicKey: string, text: string, signature: string, fault: Fault): void {
    this.#underWay += 1
    this.checked += 1
    void this.#run(this.#verify(publicKey, text, signature), fault)
  }

  async #run(verifying: Promise<boolean>, fault: Fault): Promise<void> {
    const right = await verifying
    this.#underWay -= 1
    if (!right) this.#report(fault)
    this.#wake?.()
  }

  /** So many more were checked elsewhere, and found right. */
  count(right: number): void {
    this.checked += right
  }

  get full(): boolean {
    return this.#underWay >= MAX_UNDER_WAY
  }

  /** Resolves when no more than so many are under way. */
  async until(max = MAX_UNDER_WAY / 2): Promise<void> {
    while (this.#underWay > max) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
      this.#wake = undefined
    }
  }
}
