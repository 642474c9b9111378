/**
 * Durable changes of 1 KiB through the gateway's handler, in this process: decode, verify, decide, store, append, answer.
 * `bin/node24 bench/gateway.ts [CHANGES A MESSAGE] [CHANGES] [AGENTS] [1]`; without arguments, the bars of DESIGN.md, section 9. With the last
 * one it says what `Sync` costs then, and how quickly the log is read.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../src/blobstore/chunk-store.ts'
import { openFilesystemStore } from '../src/blobstore/object-store/filesystem.ts'
import type { Change } from '../src/domain/change.ts'
import type { FolderId } from '../src/domain/events.ts'
import type { SyncPath } from '../src/domain/path.ts'
import { openSqliteLog } from '../src/eventlog/sqlite.ts'
import { DEFAULT_SETTINGS, NO_METRICS, type GatewayMetrics } from '../src/gateway/deps.ts'
import { createGateway, type Gateway } from '../src/gateway/gateway.ts'
import { scryptPasswords } from '../src/gateway/passwords.ts'
import { openUploads } from '../src/gateway/uploads.ts'
import { systemClock } from '../src/lib/clock.ts'
import { openDatabase } from '../src/lib/sqlite.ts'
import { workerUrl } from '../src/lib/worker-url.ts'
import type { FollowFiles } from '../src/compose/follow-worker.ts'
import { verifyByThread } from '../src/compose/verify-by-thread.ts'
import { followByThread } from '../src/projections/follow/follow-by-thread.ts'
import { openState } from '../src/projections/state/state.ts'
import { decodeAnswer } from '../src/protocol/answer.ts'
import { signBatch } from '../src/protocol/batch.ts'
import { sha256 } from '../src/protocol/hash.ts'
import { parseJson, type JsonObject } from '../src/protocol/json.ts'
import type { Head, Request } from '../src/protocol/messages.ts'
import { encodeRequest } from '../src/protocol/request.ts'
import { createKeyPair, registrationProofText, signInText, type Signer } from '../src/protocol/signing.ts'
import { NO_BYTES, type Peer } from '../src/transport/port.ts'

const must = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

const openGateway = async (directory: string, parts: AsyncDisposableStack, metrics: GatewayMetrics): Promise<Gateway> => {
  const database = (name: string, synchronous: 'FULL' | 'NORMAL') =>
    parts.adopt(openDatabase(join(directory, name), { synchronous, cacheMiB: 32 }), (db) => db.close())
  const logDatabase = database('log.db', 'FULL')
  const state = openState(logDatabase)
  const log = parts.use(openSqliteLog(logDatabase, { onAppend: state.appended }))
  const store = parts.use(must(await openFilesystemStore(join(directory, 'objects'))()))
  const files: FollowFiles = {
    log: join(directory, 'log.db'),
    remoteLog: { tag: 'sqlite' },
    objects: join(directory, 'objects'),
    store: { tag: 'folder' },
    projections: join(directory, 'projections.db'),
  }
  const projections = database('projections.db', 'NORMAL')
  const worker = new Worker(workerUrl('../src/compose/follow-worker', import.meta.url), { workerData: files })
  const followed = followByThread(worker, projections, { decoder: state.decoder, stopped: console.error })
  parts.defer(async () => {
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    followed.stop()
    await ended
  })
  await followed.caughtUp
  return createGateway({
    log,
    state,
    followed,
    blobs: createBlobStore(store, followed, { latestBytes: 32 * 1024 * 1024 }),
    uploads: openUploads(database('uploads.db', 'NORMAL')),
    instance: 'bench',
    clock: systemClock,
    random: randomBytes,
    signer: createKeyPair(),
    verify: parts.use(verifyByThread()).verify,
    passwords: scryptPasswords(randomBytes, { n: 2, r: 1, p: 1 }),
    turn: () => turn(),
    settings: { ...DEFAULT_SETTINGS, limits: { ...DEFAULT_SETTINGS.limits, attempts: { burst: 1e6, perMinute: 1e6 } } },
    metrics,
    logger: { info: () => undefined, warn: console.error, error: console.error },
  })
}

interface Device {
  readonly signer: Signer
  readonly peer: Peer
  readonly folder: FolderId
}

// All messages are objects.
const objectOf = (text: string): JsonObject => parseJson(text) as JsonObject

/** As a transport does it: text in, text out. */
const ask = async (gateway: Gateway, peer: Peer, text: string, payload: Uint8Array): Promise<JsonObject> => {
  const { message } = await gateway.handle({ message: objectOf(text), payload }, peer, new AbortController().signal)
  return objectOf(JSON.stringify(message))
}

const enrol = async (gateway: Gateway, index: number): Promise<Device> => {
  const signer = createKeyPair()
  const peer: Peer = { id: String(index), address: '127.0.0.1', nonce: `n${index}`, agent: undefined, plain: false }
  const user = { email: 'bench@example.com', password: 'secret' }
  const send = async (request: Request) =>
    must(decodeAnswer(request.tag, await ask(gateway, peer, JSON.stringify(encodeRequest(request, 1)), NO_BYTES)))
  await send({ tag: 'RegisterUser', ...user })
  const proof = signer.sign(registrationProofText(user.email, signer.publicKey))
  const answer = await send({
    tag: 'RegisterAgent',
    key: signer.key,
    ...user,
    name: 'bench',
    publicKey: signer.publicKey,
    proof,
    vouchedBy: undefined,
    countersignature: undefined,
  })
  if (answer.tag !== 'Registered') throw new Error(JSON.stringify(answer))
  await send({ tag: 'SignIn', key: signer.key, nonce: peer.nonce, signature: signer.sign(signInText(peer.nonce, signer.key)) })
  return { signer, peer, folder: answer.folder }
}

interface Message {
  readonly text: string
  readonly payload: Buffer
}

const messagesOf = (device: Device, index: number, count: number, changes: number): readonly Message[] => {
  let previous: Head['previous'] = ''
  return Array.from({ length: count }, (_, number) => {
    const contents = Array.from({ length: changes }, () => randomBytes(1024))
    const chunks = contents.map((bytes) => ({ hash: sha256(bytes), size: bytes.length }))
    const list = chunks.map((chunk, at): Change => ({
      tag: 'create',
      path: `agent ${index}/file ${number}-${at}.txt` as SyncPath,
      content: {
        kind: 'file',
        size: chunk.size,
        hash: chunk.hash,
        manifest: { tag: 'chunks', chunks: [chunk] },
        executable: false,
        modified: '1700000000000000000',
      },
      base: 'none',
    }))
    const head = {
      version: 1 as const,
      folder: device.folder,
      agent: device.signer.key,
      epoch: '0123456789abcdef',
      number: number + 1,
      previous,
      position: -1,
      chain: '',
    }
    const batch = signBatch(head, list, device.signer, 1, chunks)
    // Each is accepted, and sent when the one before it was answered.
    previous = batch.head.root
    return { text: JSON.stringify(encodeRequest({ tag: 'Changes', key: device.signer.key, batch }, 1)), payload: Buffer.concat(contents) }
  })
}

const SYNCS = 200

/** Milliseconds of one `Sync` of the last 100 changes, text to text. */
const syncCost = async (gateway: Gateway, { signer, peer, folder }: Device): Promise<number> => {
  const since = async (position: number) => {
    const request = { tag: 'Sync', key: signer.key, folder, position, chain: '' } as const
    const answer = must(decodeAnswer('Sync', await ask(gateway, peer, JSON.stringify(encodeRequest(request, 1)), NO_BYTES)))
    if (answer.tag !== 'Synced') throw new Error(JSON.stringify(answer))
    return answer
  }
  const { head } = await since(0)
  for (let count = 0; count < SYNCS; count += 1) await since(head - 100)
  const start = performance.now()
  for (let count = 0; count < SYNCS; count += 1) {
    const { entries } = await since(head - 100)
    if (entries.length !== 100) throw new Error(`${entries.length} entries`)
  }
  return (performance.now() - start) / SYNCS
}

/** In a process of its own: its memory is that of reading alone. */
const readLog = (directory: string): void => {
  const program = join(import.meta.dirname, 'log.ts')
  const { status } = spawnSync(process.execPath, [...process.execArgv, program, directory], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`bench/log.ts ended with ${status ?? 'a signal'}`)
}

const run = async (changes: number, total: number, agents: number, reads = false): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'eventsync-bench-'))
  await using parts = new AsyncDisposableStack()
  let commits = 0
  const gateway = await openGateway(directory, parts, { ...NO_METRICS, commit: () => void (commits += 1) })
  const devices = await Promise.all(Array.from({ length: agents }, (_, index) => enrol(gateway, index)))
  const each = Math.ceil(total / agents / changes)
  const work = devices.map((device, index) => ({ device, messages: messagesOf(device, index, each, changes) }))
  const cpu = process.cpuUsage()
  const start = performance.now()
  let refused = 0
  await Promise.all(
    work.map(async ({ device, messages }) => {
      for (const { text, payload } of messages) {
        const answer = await ask(gateway, device.peer, text, payload)
        const changed = must(decodeAnswer('Changes', answer))
        if (changed.tag !== 'Changed' || changed.outcomes.some(({ status }) => status !== 200)) refused += 1
      }
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const done = each * changes * agents
  const cpuSeconds = (used.user + used.system) / 1e6
  const rates = `${Math.round(done / seconds)} changes/s, ${Math.round(done / changes / seconds)} messages/s`
  const cost = `CPU ${Math.round((cpuSeconds / done) * 1e6)} us a change, ${(cpuSeconds / seconds).toFixed(2)} cores`
  console.log(
    `${changes} a message, ${agents} agents: ${rates}; ${cost}; ${Math.round(done / commits)} changes a commit; ${refused} messages refused`,
  )
  const [first] = devices
  if (reads && first !== undefined) console.log(`sync of 100 changes: ${(await syncCost(gateway, first)).toFixed(3)} ms`)
  await gateway.drain()
  await parts.disposeAsync()
  if (reads) readLog(directory)
  rmSync(directory, { recursive: true })
}

const [changes, total, agents, reads] = process.argv.slice(2).map(Number)
if (changes !== undefined) await run(changes, total ?? 20_000, agents ?? 64, reads === 1)
else {
  await run(1, 20_000, 64)
  await run(16, 60_000, 64)
  await run(256, 100_000, 16)
}
