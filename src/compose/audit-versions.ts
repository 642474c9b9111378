import * as E from 'fp-ts/lib/Either.js'
import { contentBytes, contentOf, type ContentError } from '../audit/contents.ts'
import { versionPages } from '../audit/history/versions.ts'
import { textLines, unifiedDiff } from '../audit/text/unified.ts'
import { parsePath, type SyncPath } from '../domain/path.ts'
import { systemClock } from '../lib/clock.ts'
import { parseWhen } from '../lib/when.ts'
import type { HistoryEvent } from '../projections/history/port.ts'
import type { Audit } from './audit.ts'
import { fromHistory } from './from-history.ts'
import { fail, type Outcome } from './failure.ts'

const pathOf = (text: string): Outcome<SyncPath> => {
  const path = parsePath(text.replace(/\/+$/, ''))
  return E.isRight(path) ? path : fail('usage', `"${text}" is no path inside the folder: ${path.left.reason}`)
}

/** A version, and since when its content is not kept any more (milliseconds), where retention has let it go. */
export type KeptEvent = HistoryEvent & { readonly released?: number }

/** Everything that happened to the files that were ever at a path, across their names. */
export async function* historyOf(audit: Audit, text: string): AsyncGenerator<Outcome<readonly KeptEvent[]>, void> {
  const { history, folder, head } = audit
  const path = pathOf(text)
  if (E.isLeft(path)) {
    yield path
    return
  }
  let found = false
  for await (const page of versionPages(history, folder.folder, path.right, head)) {
    found ||= E.isLeft(page) || page.right.length > 0
    yield E.isLeft(page) ? fromHistory(page) : await withReleases(audit, page.right)
  }
  if (!found) yield fail('failed', `the folder has never held ${text}: 'eventsync audit log --path NAME' looks for a name anywhere`)
}

const withReleases = async ({ contents, folder }: Audit, events: readonly HistoryEvent[]): Promise<Outcome<readonly KeptEvent[]>> => {
  const versions = events.flatMap(({ revision, content }) => (content === undefined || content.kind === 'directory' ? [] : [revision]))
  const told = fromHistory(await contents.released(folder.folder, versions)())
  if (E.isLeft(told)) return told
  const times = new Map(told.right.map(({ version, time }) => [version, time]))
  return E.right(
    events.map((event) => {
      const released = times.get(event.revision)
      return released === undefined ? event : { ...event, released }
    }),
  )
}

/** What a path held at a moment: the event that put it there. */
export interface Version {
  readonly name: string
  readonly event: HistoryEvent
}

interface Named {
  readonly path: SyncPath
  readonly moment: string | undefined
}

/** Reads PATH@MOMENT, or PATH alone. A path may hold an @ itself: what follows the last one counts where it is a moment. */
const parseVersion = (text: string): Outcome<Named> => {
  const cut = text.lastIndexOf('@')
  const moment = cut > 0 && E.isRight(parseWhen(text.slice(cut + 1), systemClock.wall())) ? text.slice(cut + 1) : undefined
  return E.map((path: SyncPath) => ({ path, moment }))(pathOf(moment === undefined ? text : text.slice(0, cut)))
}

/** What a path held at the moment that PATH@MOMENT names; now, where it names none. */
export const findVersion = async (audit: Audit, text: string): Promise<Outcome<Version>> => {
  const named = parseVersion(text)
  return E.isLeft(named) ? named : findNamed(audit, named.right)
}

const findNamed = async (audit: Audit, { path, moment }: Named): Promise<Outcome<Version>> => {
  const at = await audit.at(moment)
  if (E.isLeft(at)) return at
  const found = fromHistory(await audit.history.touched(audit.folder.folder, path, at.right)())
  if (E.isLeft(found)) return found
  const event = found.right
  if (at.right < 0) return fail('failed', `${path} was not there: at that moment there was nothing in the folder yet`)
  if (event === undefined) return fail('failed', `${path} was not there at position ${at.right}, nor ever before`)
  if (event.path !== path)
    return fail(
      'failed',
      `${path} was not there at position ${at.right}: it was moved to ${event.path ?? ''} at position ${event.revision}`,
    )
  if (event.content === undefined)
    return fail('failed', `${path} was not there at position ${at.right}: it was deleted at position ${event.revision}`)
  return E.right({ name: `${path}@${event.revision}`, event })
}

/** The bytes of a version, chunk by chunk; a left is the last. */
export async function* bytesOfVersion(audit: Audit, { name, event }: Version): AsyncGenerator<Outcome<Uint8Array>, void> {
  const { log, contents, folder } = audit
  if (event.content?.kind === 'directory') {
    yield fail('usage', `${name} is a folder: 'eventsync audit tree --at ${event.revision}' shows what was in it`)
    return
  }
  const content = fromHistory(await contentOf(log, folder.folder, event.revision))
  if (E.isLeft(content)) {
    yield content
    return
  }
  if (content.right === undefined) return
  for await (const bytes of contentBytes(contents, folder.folder, event.revision, content.right))
    yield E.isRight(bytes) ? bytes : contentFailure(name, bytes.left)
}

const contentFailure = (name: string, error: ContentError): E.Either<Extract<Outcome, { _tag: 'Left' }>['left'], never> => {
  if (error.tag !== 'Gone') return fromHistory(E.left(error))
  if (error.released !== undefined)
    return fail('failed', `the content of ${name} was released on ${new Date(error.released).toISOString()}: the log still tells its hash`)
  return fail('damaged', `the content of ${name} cannot be read: ${error.reason}`)
}

/** Texts up to this size are compared line by line. */
const MAX_TEXT = 8 * 1024 * 1024

const wholeText = async (audit: Audit, version: Version): Promise<Outcome<readonly string[] | undefined>> => {
  if ((version.event.content?.size ?? 0) > MAX_TEXT) return E.right(undefined)
  const pieces: Uint8Array[] = []
  for await (const bytes of bytesOfVersion(audit, version)) {
    if (E.isLeft(bytes)) return bytes
    pieces.push(bytes.right)
  }
  return E.right(textLines(Buffer.concat(pieces)))
}

export interface TextDiff {
  readonly before: Version
  readonly after: Version
  readonly same: boolean
  /** As `diff -u` has them; undefined: not texts, or too large to compare line by line. */
  readonly lines: readonly string[] | undefined
}

/** How one version became another; without `b`, how it became what its path holds now. */
export const compareVersions = async (audit: Audit, a: string, b: string | undefined): Promise<Outcome<TextDiff>> => {
  const named = parseVersion(a)
  if (E.isLeft(named)) return named
  const before = await findNamed(audit, named.right)
  if (E.isLeft(before)) return before
  const after = await (b === undefined ? findNamed(audit, { ...named.right, moment: undefined }) : findVersion(audit, b))
  if (E.isLeft(after)) return after
  const versions = { before: before.right, after: after.right }
  const same = before.right.event.content?.hash === after.right.event.content?.hash
  if (same) return E.right({ ...versions, same, lines: [] })
  const [old, fresh] = [await wholeText(audit, before.right), await wholeText(audit, after.right)]
  if (E.isLeft(old)) return old
  if (E.isLeft(fresh)) return fresh
  const lines = old.right === undefined || fresh.right === undefined ? undefined : unifiedDiff(old.right, fresh.right)
  return E.right({ ...versions, same, lines })
}
