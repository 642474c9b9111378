import { existsSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { controlAddress } from '../agent/control/address.ts'
import { askAgent, type ControlError } from '../agent/control/client.ts'
import type { ControlAnswer, ControlRequest } from '../agent/control/messages.ts'
import { folderAt, folderHolding, knownFolders, type LocalFolder } from '../agent/device/folders.ts'
import type { FolderStatus } from '../agent/engine/folder-sync.types.ts'
import { systemClock } from '../lib/clock.ts'
import { openDevice } from './account.ts'
import { fail, type Failure, type Outcome } from './failure.ts'

export type { FolderStatus, LocalFolder }

/** The folder that a person names, or all folders of this device. */
export const foldersOf = (state: string, wanted: string | undefined): Outcome<readonly LocalFolder[]> =>
  E.Monad.chain(openDevice(state), (device) => {
    const known = knownFolders(device.state)
    if (wanted !== undefined) {
      const folder = folderAt(device.state, wanted)
      return known.some(({ path }) => path === folder.path)
        ? E.right([folder])
        : fail('usage', `${folder.path} is not a folder that this device syncs: 'eventsync agent ${wanted}' begins to`)
    }
    return known.length > 0 ? E.right(known) : fail('usage', "this device syncs no folder yet: 'eventsync agent FOLDER' begins to")
  })

/** The same for whoever waits: a named folder counts before its agent has begun with it, and where none is named, the first is waited for. */
export const foldersToCome = async (
  state: string,
  wanted: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Outcome<readonly LocalFolder[]>> => {
  const device = openDevice(state)
  if (E.isLeft(device)) return device
  if (wanted !== undefined) return E.right([folderAt(device.right.state, wanted)])
  while (knownFolders(device.right.state).length === 0 && signal?.aborted !== true) await systemClock.sleep(POLL_MS, signal)
  return foldersOf(state, wanted)
}

/** The one folder that a person means: the named one, or the only one. */
export const oneFolder = (state: string, wanted: string | undefined): Outcome<LocalFolder> =>
  E.Monad.chain(foldersOf(state, wanted), ([first, second]) => {
    if (first === undefined || second !== undefined) return fail('usage', 'this device syncs several folders: name one of them')
    return E.right(first)
  })

/** The folder that a path is, or lies in. */
export const folderOf = (state: string, path: string): Outcome<LocalFolder | undefined> =>
  E.Monad.map(openDevice(state), (device) => folderHolding(device.state, path))

/** A status, and whether a running agent gave it. */
export interface Told {
  readonly status: FolderStatus
  readonly running: boolean
}

/** How long an agent may take to answer what it knows already. */
const ANSWER_MS = 10_000

/** What the folder's agent says; where none runs, what its index remembers (which can never be called in sync). */
export const statusOf = async (folder: LocalFolder): Promise<Outcome<Told>> => {
  const told = await ask(folder, { ask: 'status' }, AbortSignal.timeout(ANSWER_MS))
  if (E.isRight(told)) return told.right.tag === 'status' ? E.right({ status: told.right.status, running: true }) : unexpected(folder)
  return told.left.tag === 'NoAgent'
    ? E.right({ status: await rememberedStatus(folder), running: false })
    : E.left(controlFailure(folder, told.left))
}

const rememberedStatus = async (folder: LocalFolder): Promise<FolderStatus> => {
  const nothing = {
    folder: folder.path,
    inSync: false,
    connected: false,
    position: -1,
    head: -1,
    pending: 0,
    incoming: 0,
    conflicts: [],
    held: [],
    problems: [],
  }
  const lastError = 'no agent is running for this folder'
  if (!existsSync(folder.index)) return { ...nothing, lastError }
  const { rememberedStatus: read } = await import('../agent/index/remembered-status.ts')
  const { ended, ...known } = read(folder.index) ?? {}
  return { ...nothing, ...known, lastError: ended === undefined ? lastError : `${lastError}; the last one stopped: ${ended}` }
}

/** Waits until the folder is in sync, for an agent to start where none runs; deletions that are held end the wait, since only a person can. */
export const untilInSync = async (folder: LocalFolder, signal: AbortSignal | undefined): Promise<Outcome<Told>> => {
  for (;;) {
    const told = await settled(folder, signal)
    if (E.isLeft(told) || told.right.status.inSync || told.right.status.held.length > 0 || signal?.aborted === true) return told
    await systemClock.sleep(POLL_MS, signal)
  }
}

const POLL_MS = 100

const settled = async (folder: LocalFolder, signal: AbortSignal | undefined): Promise<Outcome<Told>> => {
  const told = await ask(folder, { ask: 'settle' }, signal)
  if (E.isRight(told)) return told.right.tag === 'status' ? E.right({ status: told.right.status, running: true }) : unexpected(folder)
  return told.left.tag === 'Broken' ? E.left(controlFailure(folder, told.left)) : statusOf(folder)
}

/** Lets held deletions go out: all, or those at or under the paths; tells how many. */
export const approve = async (folder: LocalFolder, paths: readonly string[]): Promise<Outcome<number>> => {
  const answer = await ask(folder, { ask: 'approve', paths })
  if (E.isLeft(answer)) return E.left(controlFailure(folder, answer.left))
  return answer.right.tag === 'approved' ? E.right(answer.right.count) : unexpected(folder)
}

const ask = (folder: LocalFolder, request: ControlRequest, signal?: AbortSignal): Promise<E.Either<ControlError, ControlAnswer>> =>
  askAgent(controlAddress(folder.directory), request, signal)()

const unexpected = (folder: LocalFolder): Outcome<never> => fail('failed', `the agent of ${folder.path} is of another version: restart it`)

const controlFailure = (folder: LocalFolder, error: ControlError): Failure => {
  switch (error.tag) {
    case 'NoAgent':
      return { kind: 'failed', reason: `no agent is running for ${folder.path}: start it with 'eventsync agent ${folder.path}'` }
    case 'TimedOut':
      return { kind: 'notInSync', reason: `the agent of ${folder.path} did not answer in time` }
    case 'Broken':
      return { kind: 'failed', reason: `the agent of ${folder.path} cannot be asked: ${error.reason}` }
  }
}
