import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { checkpointPage, signCheckpoint } from '../../src/protocol/folder-checkpoint.ts'
import { encodeRecord, endText, type ExportHeader, type ExportRecord } from '../../src/audit/export/record.ts'
import { verifyExport, type ExportDeps, type ExportLine, type ExportTotals } from '../../src/audit/export/verify.ts'
import { exportRecords, messageEnd } from '../../src/audit/export/write.ts'
import type { PackPlace } from '../../src/blobstore/port.ts'
import { storedObjects } from '../../src/blobstore/stored-objects.ts'
import { verifyLog, type Totals, type VerifyDeps } from '../../src/audit/verify/verify.ts'
import type { Fault } from '../../src/audit/verify/fault.ts'
import type { MemoryStore } from '../../src/blobstore/object-store/memory.ts'
import { createMemoryStore } from '../../src/blobstore/object-store/memory.ts'
import type { Change } from '../../src/domain/change.ts'
import { directoryContent, type Content, type Hash } from '../../src/domain/content.ts'
import type { FolderId } from '../../src/domain/events.ts'
import type { EventReader, LogScan, RecordedEvent } from '../../src/eventlog/port.ts'
import { canonical } from '../../src/protocol/canonical.ts'
import { decodePacksEvent } from '../../src/protocol/event-codec.ts'
import { accountIdOf } from '../../src/protocol/event-ids.ts'
import { manifestOf } from '../../src/protocol/manifest.ts'
import { contentHash } from '../../src/protocol/merkle.ts'
import type { Answer, Head } from '../../src/protocol/messages.ts'
import { countersignText, createKeyPair, registrationProofText, verify, witnessText } from '../../src/protocol/signing.ts'
import { folderStream } from '../../src/protocol/streams.ts'
import { ask, bytesOf, chunkOf, deleting, enrol, gatewayWorld, newPeer, textFile, updating, type Enrolled, type World } from './gateway.ts'
import { path } from './memory-tree.ts'

/** What a gateway has left: its log, and the objects in its store. */
export interface Evidence {
  readonly events: readonly RecordedEvent[]
  readonly objects: ReadonlyMap<string, Buffer>
}

/** A device that links and witnesses its messages as the agent does. */
const honest = (world: World, device: Enrolled) => {
  let previous: Head['previous'] = ''
  return async (changes: readonly Change[], contents: readonly Uint8Array[] = []): Promise<Extract<Answer, { tag: 'Changed' }>> => {
    const last = world.storage.streams.get(folderStream(device.folder))?.at(-1)
    const head = { previous, position: last?.revision ?? -1, chain: last?.chain ?? '' }
    const message = device.sign(changes, { head, contents })
    const answer = await device.send(message)
    if (answer.tag !== 'Changed') throw new Error(JSON.stringify(answer))
    if (answer.receipt !== undefined) previous = message.batch.head.root
    return answer
  }
}

const putting = (at: string, text: string, tag: 'create' | 'update' = 'create', base: number | 'none' = 'none'): Change => ({
  tag,
  path: path(at),
  content: textFile(text),
  base,
})

const moving = (from: string, to: string, text: string, base: number): Change => ({
  tag: 'move',
  from: path(from),
  path: path(to),
  content: textFile(text),
  base,
})

/** A content of more chunks than an event names in place. */
const largeContent = () => {
  const pieces = Array.from({ length: 40 }, (_, at) => bytesOf(`piece ${at} of a large file\n`))
  const chunks = pieces.map(chunkOf)
  const { manifest, object } = manifestOf(chunks)
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0)
  const content: Content = { kind: 'file', size, hash: contentHash(chunks), manifest, executable: true, modified: '7' }
  return { content, pieces: object === undefined ? pieces : [...pieces, object] }
}

const vouchedDevice = async (world: World, voucher: Enrolled, seed: number): Promise<void> => {
  const signer = createKeyPair(Buffer.alloc(32, seed))
  const email = 'a@b.c'
  await ask(world, newPeer(), {
    tag: 'RegisterAgent',
    key: signer.key,
    email,
    password: 'secret',
    name: `device ${seed}`,
    publicKey: signer.publicKey,
    proof: signer.sign(registrationProofText(email, signer.publicKey)),
    vouchedBy: voucher.key,
    countersignature: voucher.signer.sign(countersignText(email, signer.publicKey)),
  })
}

const witness = (device: Enrolled, world: World): Promise<unknown> => {
  const { revision, chain } = world.storage.streams.get(folderStream(device.folder))?.at(-1) ?? { revision: -1, chain: '' }
  const signature = device.signer.sign(witnessText(device.folder, revision, chain))
  return device.ask({ tag: 'Synced', key: device.key, folder: device.folder, position: revision, chain, signature })
}

/** One message of every kind that agents send, by three devices of two accounts, with refusals, conflicts and moves. */
export const auditWorld = async (): Promise<{
  readonly world: World
  readonly evidence: () => Evidence
  readonly devices: readonly Enrolled[]
}> => {
  const world = await gatewayWorld()
  const devices = [await enrol(world, 1), await enrol(world, 2), await enrol(world, 3, 'b@b.c')]
  const [laptop, desktop, other] = devices as [Enrolled, Enrolled, Enrolled]
  const [onLaptop, onDesktop, onOther] = [honest(world, laptop), honest(world, desktop), honest(world, other)]
  await vouchedDevice(world, laptop, 4)
  await onLaptop(
    [putting('notes/deep/a', 'one'), putting('b', 'two'), putting('c', 'three')],
    [bytesOf('one'), bytesOf('two'), bytesOf('three')],
  )
  await onOther([putting('b', 'two'), putting('theirs', 'their own')], [bytesOf('two'), bytesOf('their own')])
  // Refused, so already, and accepted in one message.
  await onDesktop([deleting('none', 1), putting('b', 'two'), putting('d', 'four')], [bytesOf('four')])
  await onDesktop([putting('b', 'two')])
  const moved = await onLaptop([
    moving('b', 'moved/b', 'two', 4),
    { tag: 'create', path: path('dir'), content: directoryContent('5'), base: 'none' },
  ])
  // An edit of what was moved lands at its new path.
  await onDesktop([updating('b', 'two again', 4)], [bytesOf('two again')])
  await onDesktop([putting('e', 'four'), putting('f', 'five')], [bytesOf('five')])
  await onLaptop([
    { tag: 'hold', count: 12, reason: 'more than half would go' },
    { tag: 'approve', count: 12 },
  ])
  const { content, pieces } = largeContent()
  await onLaptop([{ tag: 'create', path: path('large'), content, base: 'none' }], pieces)
  await onDesktop([{ tag: 'delete', path: path('c'), base: 5 }])
  // An edit that the deleter had not seen survives.
  await onLaptop([updating('c', 'three again', 5)], [bytesOf('three again')])
  await onDesktop([moving('d', 'e', 'four', 6)])
  if (moved.outcomes.some(({ status }) => status !== 200)) throw new Error(JSON.stringify(moved.outcomes))
  await witness(laptop, world)
  await witness(other, world)
  await laptop.ask({ tag: 'RenameAgent', key: laptop.key, target: desktop.key, name: 'the desktop' })
  await checkpoint(world)
  await onLaptop([{ tag: 'update', path: path('notes/deep/a'), content: textFile('one again'), base: 'any' }], [bytesOf('one again')])
  await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: desktop.key, reason: 'sold' })
  return { world, devices, evidence: () => evidenceOf(world) }
}

/** What runs once an hour. */
export const checkpoint = async (world: World): Promise<void> => {
  const stop = new AbortController()
  let hours = 1
  const sleep = async (): Promise<void> => void ((hours -= 1) < 0 && stop.abort())
  await (await world.another({ clock: { ...world.clock, sleep } })).runHourly(stop.signal)
}

const evidenceOf = ({ storage, objects }: World): Evidence => ({ events: [...storage.all], objects: new Map(objects.objects) })

/** A log as somebody has left it, read as an audit reads one. */
export const scanOf = (events: readonly RecordedEvent[]): LogScan => ({
  async *pages() {
    yield E.right({ events, damage: [] })
  },
  event: async (stream, revision) => events.find((event) => event.stream === stream && event.revision === revision),
  [Symbol.asyncDispose]: async () => undefined,
})

const storeOf = (objects: Evidence['objects']): MemoryStore => {
  const store = createMemoryStore()
  for (const [name, bytes] of objects) store.objects.set(name, bytes)
  return store
}

export const verifying = async (
  { events, objects }: Evidence,
  options: Partial<VerifyDeps> = {},
): Promise<{ readonly faults: readonly Fault[]; readonly totals: Totals }> => {
  const faults: Fault[] = []
  const totals = await verifyLog({
    scan: scanOf(events),
    objects: storedObjects(storeOf(objects)),
    verifySignature: async (key, text, signature) => verify(key, text, signature),
    gatewayKey: undefined,
    claims: [],
    resumed: undefined,
    contents: true,
    report: (fault) => void faults.push(fault),
    progress: () => undefined,
    save: () => undefined,
    ...options,
  })
  if (E.isLeft(totals)) throw new Error(totals.left.reason)
  return { faults, totals: totals.right }
}

/** The lines of an export, made as the command makes it. */
export const exporting = async (
  { events, objects }: Evidence,
  folder: FolderId | undefined,
  {
    from = 0,
    to,
    path: only,
    contents = false,
  }: { readonly from?: number; readonly to?: number; readonly path?: string; readonly contents?: boolean },
): Promise<readonly string[]> => {
  if (folder === undefined) throw new Error('no folder')
  const stream = folderStream(folder)
  const ofStream = (name: string): readonly RecordedEvent[] => events.filter((event) => event.stream === name)
  const log: Pick<EventReader, 'read'> = { read: (name, start, max) => async () => E.right(ofStream(name).slice(start, start + max)) }
  const account = accountIdOf('a@b.c')
  const last = ofStream(stream).length - 1
  const end = await messageEnd({ log }, stream, to ?? last)
  if (E.isLeft(end)) throw new Error('unreadable')
  const signer = gatewayKeys()
  const time = '2026-11-23T12:00:00.000Z'
  const header: ExportHeader = {
    folder,
    name: 'default',
    account,
    email: 'a@b.c',
    from,
    to: end.right,
    path: only,
    contents,
    time,
    gatewayKey: signer.publicKey,
  }
  const lines: string[] = []
  const digest = createHash('sha256')
  const write = (record: ExportRecord): void => {
    const line = `${canonical(encodeRecord(record))}\n`
    digest.update(line)
    lines.push(line)
  }
  write({ kind: 'Export', header })
  const store = storedObjects(storeOf(objects))
  const index = packIndex(events)
  for await (const record of exportRecords({ log, chunk: (hash) => store.chunk(hash, index.get(hash))() }, header)) {
    if (E.isLeft(record)) throw new Error(record.left.reason)
    write(record.right)
  }
  const { chain } = ofStream(stream)[end.right] ?? { chain: '' }
  // A chain of a recorded event is a hash.
  write({ kind: 'Checkpoint', text: checkpointPage(signCheckpoint({ folder, position: end.right, chain: chain as Hash, time }, signer)) })
  // Hex of a digest.
  const sum = digest.digest('hex') as Hash
  lines.push(`${canonical(encodeRecord({ kind: 'End', lines: lines.length, digest: sum, signature: signer.sign(endText(sum)) }))}\n`)
  return lines
}

/** Where the log says that chunks lie. */
const packIndex = (events: readonly RecordedEvent[]): ReadonlyMap<Hash, PackPlace> => {
  const places = new Map<Hash, PackPlace>()
  for (const event of events.filter(({ type }) => type === 'PackStored')) {
    const decoded = decodePacksEvent(event)
    if (E.isLeft(decoded) || decoded.right.type !== 'PackStored') continue
    const { pack, entries } = decoded.right
    for (const { hash, offset, size } of entries) places.set(hash, { pack, offset, size })
  }
  return places
}

/** Of every gateway of these tests. */
const gatewayKeys = () => createKeyPair(Buffer.alloc(32, 7))

export const verifyingExport = async (
  lines: readonly string[],
  options: Partial<ExportDeps> = {},
): Promise<{ readonly faults: readonly Fault[]; readonly totals: ExportTotals }> => {
  const faults: Fault[] = []
  const all = lines.map((line, offset): ExportLine => ({ text: line.replace(/\n$/, ''), offset, ended: line.endsWith('\n') }))
  const totals = await verifyExport({
    lines: (async function* () {
      yield* all
    })(),
    lineAt: async (offset) => all[offset]?.text,
    verifySignature: async (key, text, signature) => verify(key, text, signature),
    gatewayKey: gatewayKeys().publicKey,
    claims: [],
    report: (fault) => void faults.push(fault),
    progress: () => undefined,
    ...options,
  })
  return { faults, totals }
}
