import { OWN_DIRECTORY } from '../../src/domain/path.ts'
import { idOf, type ContentId } from './content-id.ts'
import type { Contents } from './contents.ts'
import type { Inode } from './filesystem/inode.ts'
import type { DiskObserver, Named, SimDisk } from './filesystem/sim-disk.ts'
import type { Trace } from './trace.ts'

export type Actor = 'user' | 'agent' | 'cut' | 'mount'

/** Something that came to a path, or went from it. */
export interface PathEvent {
  readonly sequence: number
  readonly path: string
  readonly content: ContentId
  readonly by: Actor
  /** What a power cut left of bytes that a user had written, and not synced: when they had written them. */
  readonly wrote?: number
}

/** A second name of an inode, and when the agent gave it. */
interface Given {
  readonly path: string | undefined
  readonly at: number
}

/** So long one step of an agent may take: a few calls to the disk. */
const STEP_MS = 1

const isVisible = (path: string | undefined): path is string =>
  path !== undefined && path !== OWN_DIRECTORY && !path.startsWith(`${OWN_DIRECTORY}/`)

/** What one device's disk has held, when, and who changed it: the oracle's memory of that device. */
export class DiskHistory implements DiskObserver {
  actor: Actor = 'user'
  readonly appeared = new Map<string, PathEvent[]>()
  readonly vanished = new Map<string, PathEvent[]>()
  /** When each content was first visible here: from then on this device's user has seen it. */
  readonly seen = new Map<ContentId, number>()
  /** The last time that the last copy of a content went from this disk (own directory included), and by whom. */
  readonly gone = new Map<ContentId, PathEvent>()
  /** What power cuts left of users' writes into files that had lost their visible names before. */
  readonly leftHidden = new Map<ContentId, PathEvent>()
  /** Contents that users of this device made, and when first. */
  readonly made = new Map<ContentId, PathEvent>()
  /** When a user last wrote to a path, whatever came of it. */
  readonly userWrites = new Map<string, number>()
  readonly #device: string
  readonly #contents: Contents
  readonly #trace: Trace
  readonly #counts = new Map<ContentId, number>()
  readonly #writes = new WeakMap<Inode, { readonly by: Actor; readonly content: ContentId; readonly sequence: number }>()
  readonly #lookedAt = new WeakMap<Inode, number>()
  /** The last name that the agent gave to an inode that had one. */
  readonly #given = new WeakMap<Inode, Given>()
  /** Inodes whose own last name their user took away when that given one was all that was left. */
  readonly #letGo = new WeakMap<Inode, Given>()
  /** When the agent last looked at an inode by a visible path. */
  readonly #shownAt = new WeakMap<Inode, number>()
  #disk: SimDisk | undefined
  /** Whoever watches the disk: told of visible paths. */
  onChange: (path: string) => void = () => {}

  constructor(device: string, contents: Contents, trace: Trace) {
    this.#device = device
    this.#contents = contents
    this.#trace = trace
  }

  attach(disk: SimDisk): void {
    this.#disk = disk
  }

  /** Runs something as one of the actors. */
  as<T>(actor: Actor, run: () => T): T {
    const before = this.actor
    this.actor = actor
    try {
      return run()
    } finally {
      this.actor = before
    }
  }

  names(call: string, removed: readonly Named[], added: readonly Named[]): void {
    const sequence = this.#trace.next()
    this.#trace.say(
      this.#who(),
      () => `${call} ${[...removed.map((each) => `-${this.#show(each)}`), ...added.map((each) => `+${this.#show(each)}`)].join(' ')}`,
    )
    if (call === 'link' && this.actor === 'agent')
      for (const { path, inode } of added) this.#given.set(inode, { path, at: this.#trace.now })
    if (this.actor === 'user') for (const { inode } of removed) this.#lets(inode)
    for (const each of added) for (const { path, inode } of below(each, hiddenToo)) this.#came(sequence, path, inode)
    for (const each of removed) for (const { path, inode } of below(removedTree(each, added), hiddenToo)) this.#went(sequence, path, inode)
  }

  bytes(inode: Inode, before: Buffer): void {
    const sequence = this.#trace.next()
    const paths = this.#pathsOf(inode)
    const old = idOf({ ...inode, data: before })
    const content = this.#contents.name(inode)
    this.#writes.set(inode, { by: this.actor, content, sequence })
    this.#trace.say(this.#who(), () => `write ${paths.join(' = ') || '(no name)'} ${this.#contents.show(content)}`)
    if (this.actor === 'agent' && paths.some(isVisible))
      this.#trace.violated('I12', `${this.#device}: the agent wrote into a visible file: ${paths.join(', ')}`)
    if (this.actor === 'user') for (const path of paths) this.userWrites.set(path, sequence)
    if (old === content) return
    for (const path of paths) this.#came(sequence, path, inode, content)
    for (const path of paths) this.#went(sequence, path, inode, old)
    if (paths.length === 0 && this.actor === 'user') this.#contents.wrote(inode)
  }

  attributes(inode: Inode): void {
    for (const path of this.#pathsOf(inode)) if (isVisible(path)) this.onChange(path)
  }

  looked(inode: Inode, path?: string): void {
    if (this.actor !== 'agent') return
    const sequence = this.#trace.next()
    this.#lookedAt.set(inode, sequence)
    if (isVisible(path)) this.#shownAt.set(inode, sequence)
  }

  inexact(call: string, asked: string, { path, inode }: Named): void {
    if (this.actor !== 'agent' || !isVisible(path) || this.#isNewName(path, inode)) return
    this.#trace.violated('I14', `${this.#device}: the agent's ${call} of ${asked} hit ${path}, which is another name`)
  }

  /** Its user gave it that name after the agent's last look, and right before the step that follows from it: the window that docs/design.md tells of. */
  #isNewName(path: string, inode: Inode): boolean {
    const named = this.appeared.get(path)?.findLast(({ by }) => by === 'user')
    return named !== undefined && named.sequence > (this.#shownAt.get(inode) ?? Infinity)
  }

  /** The visible tree: every path with what it holds. */
  tree(): Map<string, Inode> {
    const root = this.#disk?.root
    return root === undefined ? new Map<string, Inode>() : treeOf(below({ path: '', inode: root }))
  }

  /** The tree on the disk itself, whether it is mounted or something is mounted on a folder of it. */
  #onDisk(): Map<string, Inode> {
    const home = this.#disk?.home
    return home === undefined ? new Map<string, Inode>() : treeOf(below({ path: '', inode: home }, onlyOnDisk))
  }

  /** Cuts the power, and takes down what that did to the disk: also to what nobody can see now, because a user's unsynced writes there are spoilt too. */
  cut(run: () => void): void {
    const before = this.#onDisk()
    const olds = new Map([...before].map(([path, inode]) => [path, { id: idOf(inode), inode }]))
    const counts = new Map(this.#counts)
    run()
    const sequence = this.#trace.next()
    this.actor = 'cut'
    const after = this.#onDisk()
    this.#spoiltHidden(sequence, new Set(after.values()))
    this.#recount()
    for (const [content, count] of counts)
      if (count > 0 && !this.#counts.has(content)) this.gone.set(content, { sequence, path: '', content, by: 'cut' })
    for (const [path, inode] of after) if (olds.get(path)?.id !== idOf(inode)) this.#spoilt(sequence, path, inode)
    for (const [path, { id }] of olds)
      if (!after.has(path) || id !== idOf(after.get(path) as Inode)) push(this.vanished, { sequence, path, content: id, by: 'cut' })
    this.actor = 'user'
  }

  #spoilt(sequence: number, path: string, inode: Inode): void {
    const content = this.#contents.name(inode)
    // Spoilt as it is, it is what this device's user sees from now on.
    if (!this.seen.has(content)) this.seen.set(content, sequence)
    const write = this.#writes.get(inode)
    push(this.appeared, { sequence, path, content, by: 'cut', ...(write?.by === 'user' ? { wrote: write.sequence } : {}) })
    this.#trace.say(`${this.#device} cut`, () => `left ${path} ${this.#contents.show(content)}`)
    // What a user wrote and did not sync is spoilt; from now on that is what there is.
    if (write?.by !== 'agent') return void this.#contents.wrote(inode)
    if (write.content === content) return
    this.#trace.violated(
      'I12',
      `${this.#device}: after a power cut ${path}, which the agent had written, holds neither its old nor its new content: ${this.#contents.show(content)}`,
    )
  }

  /** A program may have written into a file that was replaced or removed: what is left of that comes back as a conflict copy. */
  #spoiltHidden(sequence: number, visible: ReadonlySet<Inode>): void {
    const root = this.#disk?.home
    if (root === undefined) return
    for (const { inode } of everything({ path: '', inode: root })) {
      const write = this.#writes.get(inode)
      if (visible.has(inode) || write?.by !== 'user' || write.content === idOf(inode)) continue
      const content = this.#contents.wrote(inode)
      this.leftHidden.set(content, { sequence, path: '', content, by: 'cut', wrote: write.sequence })
    }
  }

  #recount(): void {
    this.#counts.clear()
    const root = this.#disk?.home
    if (root === undefined) return
    for (const { inode, path } of everything({ path: '', inode: root })) {
      if (path !== '') this.#counts.set(idOf(inode), (this.#counts.get(idOf(inode)) ?? 0) + 1)
    }
  }

  #came(sequence: number, path: string | undefined, inode: Inode, content = this.#contents.name(inode)): void {
    this.#counts.set(content, (this.#counts.get(content) ?? 0) + 1)
    if (this.actor === 'user') {
      this.#contents.wrote(inode)
      if (!this.made.has(content)) this.made.set(content, { sequence, path: path ?? '', content, by: 'user' })
    }
    if (!isVisible(path)) return
    if (this.actor === 'agent' && !this.#contents.isWhole(content)) {
      this.#trace.violated('I12', `${this.#device}: the agent put at ${path} what nobody wrote: ${this.#contents.show(content)}`)
    }
    if (!this.seen.has(content)) this.seen.set(content, sequence)
    push(this.appeared, { sequence, path, content, by: this.actor })
    this.onChange(path)
  }

  #went(sequence: number, path: string | undefined, inode: Inode, content = this.#contents.name(inode)): void {
    const left = (this.#counts.get(content) ?? 1) - 1
    if (left > 0) this.#counts.set(content, left)
    else {
      this.#counts.delete(content)
      this.gone.set(content, { sequence, path: path ?? '', content, by: this.#couldNotKnow(inode, path) ? 'user' : this.actor })
    }
    if (!isVisible(path)) return
    push(this.vanished, { sequence, path, content, by: this.actor })
    this.onChange(path)
  }

  /** Its user takes a name of an inode away. */
  #lets(inode: Inode): void {
    const given = this.#given.get(inode)
    const [left, ...more] = [...inode.links]
    if (given !== undefined && left !== undefined && more.length === 0 && this.#disk?.pathOf(left) === given.path)
      this.#letGo.set(inode, given)
  }

  /**
   * In the middle of a step the agent has given an inode a second name, and its user takes the first away: what they removed or replaced is gone by their
   * own hand, as it would be a moment earlier, when the agent takes its name back in that same step.
   */
  #wasLetGo(inode: Inode): boolean {
    const given = this.#letGo.get(inode)
    return given !== undefined && given === this.#given.get(inode) && this.#trace.now - given.at < STEP_MS
  }

  /**
   * A buried inode is looked at again before its last name goes; what somebody writes into it between that look and its end is lost on any POSIX system,
   * as it would be in a deleted file. Where there are no hard links nothing can be buried that is replaced: there it is the last look at its path.
   */
  #couldNotKnow(inode: Inode, path: string | undefined): boolean {
    const write = this.#writes.get(inode)
    if (this.actor !== 'agent') return false
    if (this.#wasLetGo(inode)) return true
    if (write?.by !== 'user') return false
    if (!isVisible(path)) return write.sequence > (this.#lookedAt.get(inode) ?? 0)
    return this.#disk?.traits.hardLinks === false && write.sequence > (this.#shownAt.get(inode) ?? Infinity)
  }

  #pathsOf(inode: Inode): string[] {
    const disk = this.#disk
    if (disk === undefined) return []
    return [...inode.links].map((entry) => disk.pathOf(entry) ?? '(unmounted)')
  }

  #who(): string {
    return `${this.#device} ${this.actor}`
  }

  #show({ path, inode }: Named): string {
    return `${path ?? '(elsewhere)'} [${this.#contents.show(this.#contents.name(inode))}]`
  }
}

const push = (map: Map<string, PathEvent[]>, event: PathEvent): void => {
  const list = map.get(event.path)
  if (list === undefined) map.set(event.path, [event])
  else list.push(event)
}

/** Which folders' entries count as those of a folder, since something may be mounted on it. */
type Mounts = (inode: Inode) => readonly Inode[]

const asShown: Mounts = (inode) => [inode.cover ?? inode]
const onlyOnDisk: Mounts = (inode) => [inode]
/** A folder that is renamed takes along what is mounted on the folders in it, and what lies hidden under that. */
const hiddenToo: Mounts = (inode) => (inode.cover === undefined ? [inode] : [inode, inode.cover])

/** A name and, for a folder, everything below it. */
function* below(named: Named, mounts: Mounts = asShown): Generator<Named> {
  yield named
  const { path, inode } = named
  if (inode.kind !== 'directory') return
  for (const entry of mounts(inode).flatMap(({ entries }) => [...entries.values()])) {
    const prefix = path === '' ? '' : `${path}/`
    const inside = path === undefined ? undefined : prefix + entry.name
    if (inside !== OWN_DIRECTORY) yield* below({ path: inside, inode: entry.inode }, mounts)
  }
}

const treeOf = (named: Iterable<Named>): Map<string, Inode> => {
  const tree = new Map<string, Inode>()
  for (const { path, inode } of named) if (path !== undefined && path !== '') tree.set(path, inode)
  return tree
}

function* everything(named: Named): Generator<Named> {
  yield named
  for (const entry of named.inode.entries.values()) yield* everything({ path: `${named.path}/${entry.name}`, inode: entry.inode })
}

/** What went with a name: a folder that was only renamed took what is below it along; a removed one was empty. */
const removedTree = (removed: Named, added: readonly Named[]): Named =>
  added.some((each) => each.inode === removed.inode) || removed.inode.kind !== 'directory'
    ? removed
    : { ...removed, inode: { ...removed.inode, entries: new Map() } }
