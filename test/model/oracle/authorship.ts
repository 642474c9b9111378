import { DIRECTORY, type ContentId } from '../content-id.ts'
import type { PathEvent } from '../history.ts'
import type { Invariant } from '../trace.ts'
import { beforeAside } from './conflicts.ts'
import type { DeviceEvidence, Evidence, LogEntry, RootLoss } from './evidence.ts'
import type { OnStep, Version } from './fold.ts'

/**
 * Every event must be what a person did on the device that sent it, and knew what it replaced (I3, I4, I12, I15, I17). What they knew is what had been
 * visible on their device; what they did is in the device's history.
 */
export const judgeAuthorship = (evidence: Evidence): OnStep => {
  const devices = new Map(evidence.devices.map((device) => [device.name, device]))
  return (entry, replaced) => {
    const device = entry.device === undefined ? undefined : devices.get(entry.device)
    if (device === undefined) return
    const judge = new Judge(evidence, device, entry)
    judge.event(replaced)
  }
}

const last = (events: readonly PathEvent[] | undefined, until: number, which: (event: PathEvent) => boolean): PathEvent | undefined =>
  events?.findLast((event) => event.sequence <= until && which(event))

/** When a user did what made a content appear: also when a power cut left only that of what they had written and not synced. */
const actOf = (event: PathEvent): number | undefined => (event.by === 'user' ? event.sequence : event.wrote)

const latest = (moments: readonly (number | undefined)[]): number | undefined => {
  const known = moments.filter((moment) => moment !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

const kindOf = (content: ContentId): string => content.split(':')[0] ?? content

class Judge {
  readonly #evidence: Evidence
  readonly #device: DeviceEvidence
  readonly #entry: LogEntry

  constructor(evidence: Evidence, device: DeviceEvidence, entry: LogEntry) {
    this.#evidence = evidence
    this.#device = device
    this.#entry = entry
  }

  event(replaced: readonly Version[]): void {
    const { event, content } = this.#entry
    if (event.type === 'FileDeleted') return this.#removal(event.path, replaced[0])
    if (event.type === 'FileMoved')
      this.#removal(
        event.from,
        replaced.find((version) => version.path === event.from),
      )
    if (content === undefined || !('path' in event)) return
    const target = replaced.find((version) => version.path === event.path)
    if (target === undefined) this.#creation(event.path, content)
    else if (target.id !== content) this.#replacement(event.path, content, target)
  }

  /** A path went: its user must have taken it away, having seen what it held. */
  #removal(path: string, version: Version | undefined): void {
    const { history } = this.#device
    if (version === undefined || this.#approved()) return
    const removed = last(history.vanished.get(path), this.#entry.sequence, (event) => event.by === 'user' && this.#leftNothing(event))
    if (removed === undefined) return this.#fail(this.#whoRemoved(path), `${path} was deleted, which no user of this device did`)
    this.#checkSeen('I4', path, version, removed.sequence, 'the deletion')
  }

  /** Nothing of the kind took its place in the same moment, as a new content does that is written into a file. */
  #leftNothing(gone: PathEvent): boolean {
    const after = this.#device.history.appeared.get(gone.path)?.find((event) => event.sequence === gone.sequence)
    return after === undefined || kindOf(after.content) !== kindOf(gone.content)
  }

  #whoRemoved(path: string): Invariant {
    const { history, rootLosses } = this.#device
    if (last(history.vanished.get(path), this.#entry.sequence, (event) => event.by === 'cut') !== undefined) return 'I17'
    return rootLosses.some(({ sequence }) => sequence <= this.#entry.sequence) ? 'I15' : 'I4'
  }

  /** A content took another's place: its user must have put it there after seeing the other. */
  #replacement(path: string, content: ContentId, target: Version): void {
    if (this.#cameBack(path, content)) return
    const put = this.#lastPut(path, content)
    const left = this.#cutThatLeft(content)
    if (put === undefined && left === undefined) return this.#nobodys(path, content)
    const isOfCut = left !== undefined && left.sequence > this.#lastSeenWriting(content) && !this.#wasPutHere(path, content)
    if (isOfCut && this.#wasAtRest(left, target)) {
      return this.#fail(
        'I17',
        `${path}: ${this.#show(content)}, left by a power cut, replaced ${this.#show(target.id)}, which had been in sync`,
      )
    }
    if (put !== undefined) this.#checkSeen('I3', path, target, put, this.#show(content))
  }

  /** Here it came by its user's hand: a cut that left it at another path afterwards did not bring about what was on its way already. */
  #wasPutHere(path: string, content: ContentId): boolean {
    return last(this.#device.history.appeared.get(path), this.#entry.sequence, (event) => event.content === content)?.by === 'user'
  }

  /** A content appeared at a path where the log had nothing. */
  #creation(path: string, content: ContentId): void {
    if (content === DIRECTORY || this.#cameBack(path, content)) return
    const put = this.#lastPut(path, content)
    if (put === undefined) return this.#cutThatLeft(content) === undefined ? this.#nobodys(path, content) : undefined
    const earlier = this.#evidence.log.find(
      (other) =>
        other.revision < this.#entry.revision &&
        other.device === this.#entry.device &&
        other.content === content &&
        'path' in other.event &&
        other.event.path === path,
    )
    // A conflict copy comes of what was put under the name that it stands beside: also where a person had given an earlier copy that name.
    const here = latest([this.#lastPutAt(path, content), this.#lastPutAt(beforeAside(path), content)])
    if (earlier !== undefined && (here ?? -1) < earlier.sequence) {
      const byCut = last(this.#device.history.appeared.get(path), this.#entry.sequence, (event) => event.content === content)?.by === 'cut'
      this.#fail(
        byCut ? 'I17' : 'I5',
        `${path} was created again with ${this.#show(content)}, which revision ${earlier.revision} had done; nobody did it twice`,
      )
    }
  }

  /** No user of the device ever made it, and no power cut left it of what they made. */
  #nobodys(path: string, content: ContentId): void {
    this.#fail(this.#whoWrote(content), `${path} got ${this.#show(content)}, which no user of this device wrote`)
  }

  /** What a power cut spoilt had been in the log already, and nobody has written to it since. */
  #wasAtRest(cut: PathEvent, target: Version): boolean {
    const { vanished, userWrites } = this.#device.history
    const before = vanished.get(cut.path)?.find((event) => event.sequence === cut.sequence)
    return before?.content === target.id && (userWrites.get(cut.path) ?? 0) < target.entry.sequence
  }

  #whoWrote(content: ContentId): Invariant {
    if (!this.#evidence.contents.isWhole(content)) return 'I12'
    return this.#device.cuts.some((cut) => cut < this.#entry.sequence) ? 'I17' : 'I3'
  }

  /** What was replaced must have been seen before: on this device, at any path. */
  #checkSeen(invariant: Invariant, path: string, version: Version, before: number, by: string): void {
    const seen = this.#device.history.seen.get(version.id)
    if (version.id === DIRECTORY || (seen !== undefined && seen <= before)) return
    const spread = this.#device.cuts.some((cut) => cut > before && cut < this.#entry.sequence)
    this.#fail(
      spread && seen !== undefined ? 'I17' : invariant,
      `${path}: ${by} replaced revision ${version.revision}, ${this.#show(version.id)}, which its user had not seen`,
    )
  }

  /** When its user last put that content anywhere (a folder: at that path); an edit of a moved file lands at another path than its user wrote to. */
  #lastPut(path: string, content: ContentId): number | undefined {
    if (content === DIRECTORY) return this.#lastPutAt(path, content)
    const { appeared, made, leftHidden } = this.#device.history
    const hidden = [made.get(content), leftHidden.get(content)].map((event) => event && actOf(event))
    return latest([...[...appeared.keys()].map((each) => this.#lastPutAt(each, content)), ...hidden])
  }

  #lastPutAt(path: string, content: ContentId): number | undefined {
    const events = this.#device.history.appeared.get(path) ?? []
    return latest(events.map((event) => (event.sequence <= this.#entry.sequence && event.content === content ? actOf(event) : undefined)))
  }

  /** When its user themselves last made that content appear anywhere. */
  #lastSeenWriting(content: ContentId): number {
    const puts = [...this.#device.history.appeared.values()].map((events) =>
      last(events, this.#entry.sequence, (event) => event.by === 'user' && event.content === content),
    )
    return latest(puts.map((put) => put?.sequence)) ?? -1
  }

  #cutThatLeft(content: ContentId): PathEvent | undefined {
    const { appeared, leftHidden } = this.#device.history
    const left = [...appeared.values()].map((events) =>
      last(events, this.#entry.sequence, (event) => event.by === 'cut' && event.content === content),
    )
    return [...left, leftHidden.get(content)]
      .filter((event) => event !== undefined)
      .filter(({ sequence }) => sequence <= this.#entry.sequence)
      .toSorted((a, b) => b.sequence - a.sequence)[0]
  }

  /** A person approved what the loss of the root would delete. */
  #approved(): boolean {
    const loss = this.#device.rootLosses.findLast(({ sequence }) => sequence <= this.#entry.sequence)
    return loss !== undefined && this.#device.approvals.some((at) => at > loss.sequence && at <= this.#entry.sequence)
  }

  /** A person put the folder's disk back after its loss, and approved what it holds: that is news, as if they had written it, also where it had to move aside. */
  #cameBack(path: string, content: ContentId): boolean {
    const { rootLosses, rootReturns, approvals } = this.#device
    const held = (loss: RootLoss): boolean => [path, beforeAside(path)].some((each) => loss.held.get(each) === content)
    const loss = rootLosses.findLast((each) => held(each) && each.sequence < this.#entry.sequence)
    const back = loss === undefined ? undefined : rootReturns.find((at) => at > loss.sequence)
    return back !== undefined && approvals.some((at) => at > back && at < this.#entry.sequence)
  }

  #show(content: ContentId): string {
    return this.#evidence.contents.show(content)
  }

  #fail(invariant: Invariant, text: string): void {
    this.#evidence.trace.violated(invariant, `${this.#device.name}, revision ${this.#entry.revision}: ${text}`)
  }
}
