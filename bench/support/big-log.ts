import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { packName } from '../../src/blobstore/names.ts'
import { packSize } from '../../src/blobstore/pack.ts'
import type { Change } from '../../src/domain/change.ts'
import { directoryContent, type Content, type Hash } from '../../src/domain/content.ts'
import type { FileEvent, FileId, FolderId, PackEvent } from '../../src/domain/events.ts'
import { DATA_MARKER, type SyncPath } from '../../src/domain/path.ts'
import type { EventLog, NewEvent } from '../../src/eventlog/port.ts'
import { openSqliteLog } from '../../src/eventlog/sqlite.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { canonical } from '../../src/protocol/canonical.ts'
import { chainOf } from '../../src/protocol/chain.ts'
import { encodeChange } from '../../src/protocol/change-codec.ts'
import {
  encodeAccountEvent,
  encodeFileEvent,
  encodeFolderEvent,
  encodeMetadata,
  encodePackEvent,
  type EncodedEvent,
} from '../../src/protocol/event-codec.ts'
import { accountIdOf, eventId, fileIdOf, folderIdOf, uuidV5 } from '../../src/protocol/event-ids.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import { leafHash, merkleRoot } from '../../src/protocol/merkle.ts'
import type { Head } from '../../src/protocol/messages.ts'
import { createKeyPair, headText } from '../../src/protocol/signing.ts'
import { accountStream, folderStream, PACKS } from '../../src/protocol/streams.ts'

const EMAIL = 'bench@example.org'
const ACCOUNT = accountIdOf(EMAIL)
const FOLDER: FolderId = folderIdOf(ACCOUNT, 'default')
const DEVICES = ['laptop', 'desktop', 'phone'].map((name, at) => ({ name, signer: createKeyPair(Buffer.alloc(32, at + 1)) }))
const START = Date.UTC(2025, 0, 1)
/** Of one append, and of one pack. */
const APPEND = 512
const PACK = 256
/** Bytes of a pack before its first chunk (docs/audit-format.md). */
const PACK_HEADER = 8
const [PROJECTS, PARTS] = [200, 40]

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
  content: Content
}

const contentOf = (revision: number): Content => {
  const size = 1 + (revision % 4_000)
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

/** What happened, and what a device asked for. */
interface Happened {
  readonly event: FileEvent
  readonly change: Change
}

const madeDirectory = (path: SyncPath, revision: number): Happened => {
  const content = directoryContent(String(revision))
  return {
    event: { type: 'FileCreated', path, fileId: fileIdOf(FOLDER, revision), content },
    change: { tag: 'create', path, content, base: 'none' },
  }
}

/** The directories of all files, each after the one that it lies in. Paths of the usual form. */
const directories = (): SyncPath[] => {
  const projects = Array.from({ length: PROJECTS }, (_, project) => `projects/p${project}`)
  const parts = projects.flatMap((project) => Array.from({ length: PARTS }, (_, part) => `${project}/part ${part}`))
  return ['projects', ...projects, ...parts] as SyncPath[]
}

/** The next thing that happens: 30 % files created, 45 % changed, 10 % moved, 15 % deleted. */
const nextEvent = (live: LiveFile[], chance: () => number, revision: number): Happened => {
  const dice = chance()
  const at = Math.floor(chance() * live.length)
  const file = live[at]
  // A path of the usual form.
  const path = `projects/p${Math.floor(chance() * PROJECTS)}/part ${Math.floor(chance() * PARTS)}/file ${revision}.txt` as SyncPath
  if (file === undefined || dice < 0.3) {
    const [fileId, content] = [fileIdOf(FOLDER, revision), contentOf(revision)]
    live.push({ path, fileId, revision, content })
    return { event: { type: 'FileCreated', path, fileId, content }, change: { tag: 'create', path, content, base: 'none' } }
  }
  const { fileId, revision: base, path: from } = file
  if (dice >= 0.85) {
    live[at] = live.at(-1) ?? file
    live.pop()
    return { event: { type: 'FileDeleted', path: from, fileId, base }, change: { tag: 'delete', path: from, base } }
  }
  file.revision = revision
  if (dice < 0.75) {
    file.content = contentOf(revision)
    const { content } = file
    return { event: { type: 'FileUpdated', path: from, fileId, content, base }, change: { tag: 'update', path: from, content, base } }
  }
  file.path = path
  const { content } = file
  return { event: { type: 'FileMoved', from, path, fileId, content, base }, change: { tag: 'move', from, path, content, base } }
}

type Unplaced = Omit<NewEvent, 'chain'>

interface Place {
  readonly revision: number
  readonly chain: string
}

/** Appends to streams, and makes their chains. */
const appender = (log: EventLog) => {
  const heads = new Map<string, Place>()
  const headOf = (stream: string): Place => heads.get(stream) ?? { revision: -1, chain: '' }
  return {
    headOf,
    append: async (stream: string, events: readonly Unplaced[]): Promise<void> => {
      const before = headOf(stream)
      let { revision, chain } = before
      const made = events.map((event): NewEvent => {
        revision += 1
        chain = chainOf(chain, { ...event, stream, revision })
        return { ...event, chain }
      })
      const appended = await log.append(stream, before.revision < 0 ? 'none' : before.revision, made)()
      if (E.isLeft(appended)) throw new Error(JSON.stringify(appended.left))
      heads.set(stream, { revision, chain })
    },
  }
}

const byGateway = { metadata: encodeMetadata({ account: ACCOUNT, time: START, proof: 'gateway' }) }
const named = (name: string, event: EncodedEvent): Unplaced => ({ ...event, ...byGateway, id: uuidV5(name) })

const enrolments = (): readonly Unplaced[] => [
  named(
    `account/${ACCOUNT}/registered`,
    encodeAccountEvent({ type: 'AccountRegistered', account: ACCOUNT, email: EMAIL, verifier: 'none' }),
  ),
  ...DEVICES.map(({ name, signer: { key: agent, publicKey } }) =>
    named(
      `agent/${ACCOUNT}/${agent}/registered`,
      encodeAccountEvent({
        type: 'AgentRegistered',
        account: ACCOUNT,
        agent,
        name,
        publicKey,
        vouchedBy: 'operator',
        countersignature: null,
      }),
    ),
  ),
]

/** Signs what happened as devices do: each message by one of them, linked to its last, with what it has seen of the folder. */
const messenger = () => {
  const latest = new Map<string, { readonly root: Hash; readonly number: number }>()
  return (
    happened: readonly Happened[],
    device: (typeof DEVICES)[number],
    seen: Place,
    first: number,
    time: number,
  ): readonly Unplaced[] => {
    const { signer } = device
    const texts = happened.map(({ change }) => canonical(encodeChange(change)))
    const leaves = texts.map(leafHash)
    const before = latest.get(signer.key)
    const head: Head = {
      version: 1,
      folder: FOLDER,
      agent: signer.key,
      epoch: '0123456789abcdef',
      number: (before?.number ?? 0) + 1,
      count: happened.length,
      root: merkleRoot(leaves),
      previous: before?.root ?? '',
      position: seen.revision,
      chain: seen.chain,
    }
    latest.set(signer.key, head)
    const outcomes = happened.map(({ event: { path } }, index) => ({ status: 200 as const, revision: first + index, path }))
    const message = { head, signature: signer.sign(headText(head)), outcomes, refusedLeaves: [] }
    const { epoch, number } = head
    return happened.map(({ event, change }, index) => ({
      ...encodeFileEvent(event, { canonical: texts[index] ?? '', change }),
      id: eventId(signer.key, epoch, number, index, 0, leaves[index] ?? ''),
      metadata: encodeMetadata({
        account: ACCOUNT,
        agent: signer.key,
        epoch,
        number,
        index,
        time,
        clientTime: time / 1000,
        proof: 'signed',
        ...(index === 0 ? { message } : {}),
      }),
    }))
  }
}

/** The new contents' packs: their events, and objects of the right size that hold nothing. */
const packsOf = (happened: readonly Happened[], objects: string): readonly Unplaced[] => {
  const chunks = happened.flatMap(({ event }) =>
    event.type !== 'FileDeleted' && event.type !== 'FileMoved' && event.content.manifest.tag === 'chunks'
      ? event.content.manifest.chunks
      : [],
  )
  return Array.from({ length: Math.ceil(chunks.length / PACK) }, (_, at) => {
    const own = chunks.slice(at * PACK, (at + 1) * PACK)
    const hashes = own.map(({ hash }) => hash).join('')
    const pack = sha256(hashes)
    let end = PACK_HEADER
    const entries: PackEvent['entries'] = own.map(({ hash, size }) => ({ hash, size, offset: (end += size) - size }))
    const file = join(objects, packName(pack))
    mkdirSync(dirname(file), { recursive: true })
    const object = openSync(file, 'w')
    ftruncateSync(
      object,
      packSize(
        own.length,
        own.reduce((sum, { size }) => sum + size, 0),
      ),
    )
    closeSync(object)
    return named(`pack/${pack}/${hashes}`, encodePackEvent({ type: 'PackStored', pack, entries }))
  })
}

/**
 * Fills a gateway's data directory with a log of so many events of one folder, in signed messages of so many changes: three devices, some 200,000
 * files for each million of events. Packs have their right sizes, and hold nothing.
 */
export const makeBigLog = async (data: string, count: number, perMessage = 16): Promise<void> => {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  writeFileSync(join(data, DATA_MARKER), '{"format":1}\n')
  using db = openDatabase(join(data, 'log.db'), { synchronous: 'OFF', cacheMiB: 64 })
  await using log = openSqliteLog(db)
  const { headOf, append } = appender(log)
  const stream = folderStream(FOLDER)
  await append(accountStream(ACCOUNT), enrolments())
  await append(stream, [named(`folder/${FOLDER}/created`, encodeFolderEvent({ type: 'FolderCreated', account: ACCOUNT, name: 'default' }))])
  const [live, chance, directory, sign] = [[] as LiveFile[], chances(1), directories().values(), messenger()]
  let time = START
  for (let revision = 1; revision < count;) {
    const seen = headOf(stream)
    const all: Happened[] = []
    const events: Unplaced[] = []
    while (all.length < APPEND && revision < count) {
      time += Math.floor(chance() * 60_000 * perMessage)
      const first = revision
      const happened: Happened[] = []
      for (; happened.length < perMessage && revision < count; revision += 1) {
        const path = directory.next().value
        happened.push(path === undefined ? nextEvent(live, chance, revision) : madeDirectory(path, revision))
      }
      const device = DEVICES[Math.floor(chance() ** 3 * DEVICES.length)]
      if (device !== undefined) events.push(...sign(happened, device, seen, first, time))
      all.push(...happened)
    }
    const packs = packsOf(all, join(data, 'objects'))
    if (packs.length > 0) await append(PACKS, packs)
    await append(stream, events)
  }
}
