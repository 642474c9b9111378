import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { restoreAfresh } from '../audit/restore/afresh.ts'
import { restoreInPlace } from '../audit/restore/in-place.ts'
import type { Restored } from '../audit/restore/port.ts'
import { OWN_DIRECTORY, parsePath, type SyncPath } from '../domain/path.ts'
import { nodeFileSystem } from '../filesystem/node.ts'
import type { Audit } from './audit.ts'
import { fromHistory } from './from-history.ts'
import { fail, type Outcome } from './failure.ts'

export type { Restored }

/** `to`: a directory that is empty or not there yet. `into`: a synced folder, whose agent sends what changes. */
export interface RestoreAsked {
  readonly path: string | undefined
  readonly at: string
  readonly to: string | undefined
  readonly into: string | undefined
  readonly exact: boolean
  readonly dryRun: boolean
}

/** Brings a folder, or a path of it, back to how it was, path by path. */
export async function* restore(audit: Audit, asked: RestoreAsked): AsyncGenerator<Outcome<readonly Restored[]>, void> {
  const prepared = await prepare(audit, asked)
  if (E.isLeft(prepared)) {
    yield prepared
    return
  }
  for await (const step of prepared.right()) yield E.map((restored: Restored) => [restored])(fromHistory(step))
}

const prepare = async (audit: Audit, asked: RestoreAsked): Promise<Outcome<() => ReturnType<typeof restoreAfresh>>> => {
  const { log, history, contents, folder, head } = audit
  const at = await audit.at(asked.at)
  if (E.isLeft(at)) return at
  const under = pathOf(asked.path)
  if (E.isLeft(under)) return under
  const root = rootOf(asked)
  if (E.isLeft(root)) return root
  const common = {
    log,
    history,
    contents,
    folder: folder.folder,
    at: at.right,
    under: under.right,
    fs: nodeFileSystem(root.right),
    dryRun: asked.dryRun,
  }
  return E.right(() => (asked.into === undefined ? restoreAfresh(common) : restoreInPlace({ ...common, head, exact: asked.exact })))
}

const pathOf = (text: string | undefined): Outcome<SyncPath | undefined> => {
  const trimmed = text?.replace(/\/+$/, '') ?? ''
  if (trimmed === '') return E.right(undefined)
  const path = parsePath(trimmed)
  return E.isRight(path) ? path : fail('usage', `"${trimmed}" is no path inside the folder: ${path.left.reason}`)
}

const rootOf = ({ to, into, dryRun, exact }: RestoreAsked): Outcome<string> => {
  if ((to === undefined) === (into === undefined))
    return fail('usage', 'say where it goes: --to an empty directory, or --into the synced folder itself')
  if (to !== undefined)
    return exact ? fail('usage', '--exact goes with --into: an empty directory gets nothing else') : emptyDirectory(to, dryRun)
  const folder = into ?? ''
  return existsSync(join(folder, OWN_DIRECTORY))
    ? E.right(realpathSync(folder))
    : fail('usage', `${folder} is no synced folder of this device: start its agent first, or restore with --to an empty directory`)
}

/** The real path of a directory that is there and empty, or is made. */
export const emptyDirectory = (path: string, dryRun: boolean): Outcome<string> => {
  try {
    if (existsSync(path) && readdirSync(path).length > 0)
      return fail('usage', `${path} is not empty: name a directory that is, or a new one`)
    if (dryRun) return E.right(path)
    mkdirSync(path, { recursive: true })
    return E.right(realpathSync(path))
  } catch (error) {
    return fail('failed', `${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}
