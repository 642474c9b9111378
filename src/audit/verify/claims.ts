import type { At, Fault, Report } from './fault.ts'
import { placeName } from './fault.ts'
import type { Streams } from './streams.ts'

/** Somebody's word on a stream: at this revision it had this chain. */
export interface Claim extends At {
  readonly chain: string
  readonly kind: Extract<Fault['kind'], 'witness' | 'checkpoint'>
  /** Whose word it is: an event of the log, or something from outside, in words. */
  readonly by: At | string
}

/** Reads one event again. */
export type ReadChain = (stream: string, revision: number) => Promise<string | undefined>

/** Look-ups of the log that may be under way. */
const MAX_UNDER_WAY = 64

/** Compares what others said of the log with the log: a history that was rewritten, and an end that was cut off, show in their words. */
export class Claims {
  readonly #streams: Streams
  readonly #report: Report
  readonly #read: ReadChain
  readonly #ahead: Claim[] = []
  readonly #underWay = new Set<Promise<void>>()

  constructor(streams: Streams, report: Report, read: ReadChain) {
    this.#streams = streams
    this.#report = report
    this.#read = read
  }

  /** Compares at once, or beside the reading where the log has to be asked, or at the end where it has not been read that far. */
  take(claim: Claim): void {
    const head = this.#streams.head(claim.stream)
    if (head === undefined || claim.revision > head.revision) this.#ahead.push(claim)
    else if (this.#streams.chainAt(claim.stream, claim.revision) !== claim.chain) {
      const comparing = this.#compare(claim).finally(() => this.#underWay.delete(comparing))
      this.#underWay.add(comparing)
    }
  }

  get full(): boolean {
    return this.#underWay.size >= MAX_UNDER_WAY
  }

  /** Resolves when what is under way has been compared. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  /** Those that spoke of events which had not been read yet. */
  async finish(): Promise<void> {
    await this.settled()
    for (const claim of this.#ahead) {
      const head = this.#streams.head(claim.stream)
      if (head !== undefined && claim.revision <= head.revision) await this.#compare(claim)
      else
        this.#tell(
          claim,
          `the log ends at ${head === undefined ? 'nothing' : placeName({ stream: claim.stream, revision: head.revision })}`,
        )
    }
  }

  async #compare(claim: Claim): Promise<void> {
    const chain = this.#streams.chainAt(claim.stream, claim.revision) ?? (await this.#read(claim.stream, claim.revision))
    if (chain === claim.chain) return
    this.#tell(claim, chain === undefined ? 'the log does not hold that event' : 'the log has another chain there: it was rewritten')
  }

  #tell({ kind, by, stream, revision }: Claim, found: string): void {
    const of = placeName({ stream, revision })
    const reason =
      kind === 'witness'
        ? `the agent signed that it had seen ${of} with a certain chain, and ${found}`
        : `${of} is vouched for, and ${found}`
    if (typeof by === 'string') this.#report({ kind, stream, revision, reason: `${by}: ${reason}` })
    else this.#report({ kind, ...by, reason })
  }
}
