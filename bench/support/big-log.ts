import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { DATA_MARKER, type SyncPath } from '../../src/domain/path.ts'
import type { AgentKey, FileEvent, FileId, FolderId } from '../../src/domain/events.ts'
import type { Content, Hash } from '../../src/domain/content.ts'
import type { EventLog, NewEvent } from '../../src/eventlog/port.ts'
import { openSqliteLog } from '../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { chainOf } from '../../src/protocol/chain.ts'
import {
  encodeAccountEvent,
  encodeFileEvent,
  encodeFolderEvent,
  encodeMetadata,
  type EncodedEvent,
} from '../../src/protocol/event-codec.ts'
import { accountIdOf, fileIdOf, folderIdOf, uuidV5 } from '../../src/protocol/event-ids.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import { accountStream, folderStream } from '../../src/protocol/streams.ts'

const EMAIL = 'bench@example.org'
const ACCOUNT = accountIdOf(EMAIL)
const FOLDER: FolderId = folderIdOf(ACCOUNT, 'default')
// 32 upper-case hex digits.
const AGENTS = [1, 2, 3].map((n) => sha256(`agent ${n}`).slice(0, 32).toUpperCase() as AgentKey)
const START = Date.UTC(2025, 0, 1)
const APPEND = 2000

/** The same numbers in every run (mulberry32). */
const chances = (start: number): (() => number) => {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

interface LiveFile {
  path: SyncPath
  readonly fileId: FileId
  revision: number
}

const contentOf = (revision: number): Content => {
  const size = 1 + (revision % 60_000)
  const hash: Hash = sha256(`content ${revision}`)
  return {
    kind: 'file',
    size,
    hash,
    manifest: { tag: 'chunks', chunks: [{ hash, size }] },
    executable: false,
    modified: `${START + revision}000000`,
  }
}

/** The next thing that happens: 30 % files created, 45 % changed, 10 % moved, 15 % deleted. */
const nextEvent = (live: LiveFile[], chance: () => number, revision: number): FileEvent => {
  const dice = chance()
  const at = Math.floor(chance() * live.length)
  const file = live[at]
  // A path of the usual form.
  const path = `projects/p${Math.floor(chance() * 200)}/part ${Math.floor(chance() * 40)}/file ${revision}.txt` as SyncPath
  if (file === undefined || dice < 0.3) {
    const fileId = fileIdOf(FOLDER, revision)
    live.push({ path, fileId, revision })
    return { type: 'FileCreated', path, fileId, content: contentOf(revision) }
  }
  const { fileId, revision: base, path: from } = file
  if (dice >= 0.85) {
    live[at] = live.at(-1) ?? file
    live.pop()
    return { type: 'FileDeleted', path: from, fileId, base }
  }
  file.revision = revision
  if (dice < 0.75) return { type: 'FileUpdated', path: from, fileId, content: contentOf(revision), base }
  file.path = path
  return { type: 'FileMoved', from, path, fileId, content: contentOf(base), base }
}

const appender = (log: EventLog) => {
  const heads = new Map<string, { readonly revision: number; readonly chain: string }>()
  return async (stream: string, events: readonly (EncodedEvent & { readonly metadata: string })[]): Promise<void> => {
    const before = heads.get(stream)
    let { revision, chain } = before ?? { revision: -1, chain: '' }
    const made = events.map((event): NewEvent => {
      revision += 1
      const recorded = { ...event, id: uuidV5(`${stream}/${revision}`), stream, revision }
      chain = chainOf(chain, recorded)
      return { ...recorded, chain }
    })
    const appended = await log.append(stream, before?.revision ?? 'none', made)()
    if (E.isLeft(appended)) throw new Error(JSON.stringify(appended.left))
    heads.set(stream, { revision, chain })
  }
}

const byGateway = { metadata: encodeMetadata({ account: ACCOUNT, time: START, proof: 'gateway' }) }

/**
 * Fills a gateway's data directory with a log of so many events of one folder: three devices, some 200,000 files for each million of events.
 * There are no contents, and no signatures.
 */
export const makeBigLog = async (data: string, count: number): Promise<void> => {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  writeFileSync(join(data, DATA_MARKER), '{"format":1}\n')
  using db = openDatabase(join(data, 'log.db'), { synchronous: 'OFF', cacheMiB: 64 })
  await using log = openSqliteLog(db)
  const append = appender(log)
  await append(accountStream(ACCOUNT), [
    { ...encodeAccountEvent({ type: 'AccountRegistered', account: ACCOUNT, email: EMAIL, verifier: 'none' }), ...byGateway },
    ...AGENTS.map((agent, n) => ({
      ...encodeAccountEvent({
        type: 'AgentRegistered',
        account: ACCOUNT,
        agent,
        name: ['laptop', 'desktop', 'phone'][n] ?? '',
        publicKey: null,
        vouchedBy: 'operator',
        countersignature: null,
      }),
      ...byGateway,
    })),
  ])
  await append(folderStream(FOLDER), [{ ...encodeFolderEvent({ type: 'FolderCreated', account: ACCOUNT, name: 'default' }), ...byGateway }])
  const [live, chance] = [[] as LiveFile[], chances(1)]
  let time = START
  for (let revision = 1; revision < count;) {
    const page: (EncodedEvent & { readonly metadata: string })[] = []
    for (; page.length < APPEND && revision < count; revision += 1) {
      time += Math.floor(chance() * 60_000)
      const agent = AGENTS[Math.floor(chance() ** 3 * AGENTS.length)]
      const metadata = encodeMetadata({
        account: ACCOUNT,
        ...(agent === undefined ? {} : { agent }),
        time,
        clientTime: time / 1000,
        proof: 'signed',
      })
      page.push({ ...encodeFileEvent(nextEvent(live, chance, revision)), metadata })
    }
    await append(folderStream(FOLDER), page)
  }
}
