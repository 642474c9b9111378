import type { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../../src/blobstore/chunk-store.ts'
import { createMemoryStore } from '../../src/blobstore/object-store/memory.ts'
import type { Change } from '../../src/domain/change.ts'
import type { Chunk, Content, Hash } from '../../src/domain/content.ts'
import type { FolderId } from '../../src/domain/events.ts'
import { createMemoryLog, createMemoryStorage, type MemoryLogOptions } from '../../src/eventlog/memory.ts'
import { DEFAULT_SETTINGS, NO_METRICS, SILENT, type GatewayDeps, type GatewaySettings } from '../../src/gateway/deps.ts'
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts'
import { scryptPasswords } from '../../src/gateway/passwords.ts'
import { openUploads } from '../../src/gateway/uploads.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { followInline } from '../../src/projections/follow/followed.ts'
import { followToEnd } from '../../src/projections/follow/runner.ts'
import { logSource } from '../../src/projections/follow/sources.ts'
import { openFollowTables } from '../../src/projections/follow/write.ts'
import { catchUp } from '../../src/projections/state/catch-up.ts'
import { openState } from '../../src/projections/state/state.ts'
import { decodeAnswer } from '../../src/protocol/answer.ts'
import { signBatch } from '../../src/protocol/batch.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import type { Answer, Head, Request, SignedBatch } from '../../src/protocol/messages.ts'
import { encodeRequest } from '../../src/protocol/request.ts'
import { createKeyPair, registrationProofText, signInText, verify, type Signer } from '../../src/protocol/signing.ts'
import { NO_BYTES, type FolderAt, type Peer } from '../../src/transport/port.ts'
import { path } from './memory-tree.ts'

/** A clock that stands still until told; sleeps end at once, and move it. */
export const handClock = (): Clock & { advance(ms: number): void } => {
  let now = 0
  return {
    monotonic: () => now,
    wall: () => 1_700_000_000_000 + now,
    sleep: async (ms) => void (now += ms),
    advance: (ms) => void (now += ms),
  }
}

export interface WorldOptions {
  readonly settings?: Partial<GatewaySettings>
  readonly log?: MemoryLogOptions
  /** Whether several gateways append to the log, so that each follows it. */
  readonly shared?: boolean
}

/** A gateway over what lasts: `restart` makes another one, whose projections are folded from the log again. */
export const gatewayWorld = async ({ settings = {}, log: logOptions = {}, shared = false }: WorldOptions = {}) => {
  const storage = createMemoryStorage()
  const objects = createMemoryStore()
  const uploads = openUploads(openDatabase(':memory:', { synchronous: 'OFF' }))
  const clock = handClock()
  const signer = createKeyPair(Buffer.alloc(32, 7))
  let chance = 0
  const random = (bytes: number): Buffer => Buffer.alloc(bytes, (chance += 1))
  const told: ({ readonly keys: readonly string[] } & FolderAt)[] = []
  const cut: string[] = []
  const faults: string[] = []
  const open = async (
    other: Partial<GatewayDeps> = {},
  ): Promise<Gateway & { readonly deps: GatewayDeps; readonly stateDatabase: DatabaseSync; readonly followDatabase: DatabaseSync }> => {
    const log = createMemoryLog(logOptions, storage)
    const stateDatabase = openDatabase(':memory:', { synchronous: 'OFF' })
    const state = openState(stateDatabase)
    const followDatabase = openDatabase(':memory:', { synchronous: 'OFF' })
    const followed = followInline(followDatabase, state.decoder)
    const blobs = createBlobStore(objects, followed)
    const deps: GatewayDeps = {
      log,
      state,
      ...(shared ? { shared: state } : {}),
      followed,
      uploads,
      instance: 'gateway-1',
      clock,
      signer,
      random,
      blobs,
      verify: async (publicKey, text, signature) => verify(publicKey, text, signature),
      passwords: scryptPasswords(random, { n: 2, r: 1, p: 1 }),
      turn: () => Promise.resolve(),
      settings: { ...DEFAULT_SETTINGS, ...settings },
      metrics: NO_METRICS,
      logger: { ...SILENT, error: (message, fields) => void faults.push(JSON.stringify({ message, ...fields })) },
      ...other,
    }
    if (E.isLeft(await catchUp(log, state))) throw new Error('the log could not be folded')
    if (E.isLeft(await followToEnd(logSource(log, blobs), openFollowTables(followDatabase))))
      throw new Error('the log could not be followed')
    const gateway = createGateway(deps)
    gateway.addNotifier({
      notify: (keys, news) => void told.push({ keys, ...news }),
      disconnect: (key) => void cut.push(key),
    })
    return { ...gateway, deps, stateDatabase, followDatabase }
  }
  const world = {
    storage,
    objects,
    clock,
    signer,
    told,
    cut,
    faults,
    gateway: await open(),
    restart: async () => void (world.gateway = await open()),
    another: open,
  }
  return world
}

export type World = Awaited<ReturnType<typeof gatewayWorld>>

let peers = 0
export const newPeer = (plain = false, address = '127.0.0.1'): Peer => ({
  id: `peer-${(peers += 1)}`,
  address,
  nonce: `nonce-${peers}`,
  agent: undefined,
  plain,
})

export const ask = async (
  world: Pick<World, 'gateway'>,
  peer: Peer,
  request: Request,
  payload: Uint8Array = NO_BYTES,
): Promise<{ readonly answer: Answer; readonly payload: Uint8Array }> => {
  const reply = await world.gateway.handle({ message: encodeRequest(request, 1), payload }, peer, new AbortController().signal)
  const answer = decodeAnswer(request.tag, reply.message)
  if (E.isLeft(answer))
    throw new Error(`the answer can't be read: ${answer.left.field} ${answer.left.reason} ${JSON.stringify(reply.message)}`)
  return { answer: answer.right, payload: reply.payload }
}

export interface Batch {
  readonly head: Partial<Head>
  readonly contents: readonly Uint8Array[]
}

/** A device that has registered and signed in, and counts its messages. */
export const enrol = async (world: World, seed: number, email = 'a@b.c', password = 'secret') => {
  const signer: Signer = createKeyPair(Buffer.alloc(32, seed))
  const peer = newPeer()
  await ask(world, peer, { tag: 'RegisterUser', email, password })
  const proof = signer.sign(registrationProofText(email, signer.publicKey))
  const { answer } = await ask(world, peer, {
    tag: 'RegisterAgent',
    key: signer.key,
    email,
    password,
    name: `device ${seed}`,
    publicKey: signer.publicKey,
    proof,
    vouchedBy: undefined,
    countersignature: undefined,
  })
  if (answer.tag !== 'Registered') throw new Error(`not registered: ${JSON.stringify(answer)}`)
  const signIn = async (to: Peer = peer) =>
    (await ask(world, to, { tag: 'SignIn', key: signer.key, nonce: to.nonce, signature: signer.sign(signInText(to.nonce, signer.key)) }))
      .answer
  await signIn()
  let number = 0
  const { folder } = answer
  const sign = (
    changes: readonly Change[],
    { head = {}, contents = [] }: Partial<Batch> = {},
  ): { readonly batch: SignedBatch; readonly payload: Uint8Array } => {
    const whole = {
      version: 1 as const,
      folder,
      agent: signer.key,
      epoch: seed.toString(16).padStart(16, '0'),
      number: (number += 1),
      previous: '' as const,
      position: -1,
      chain: '',
      ...head,
    }
    return {
      batch: signBatch(
        whole,
        changes,
        signer,
        1,
        contents.map((bytes) => ({ hash: sha256(bytes), size: bytes.length })),
      ),
      payload: Buffer.concat(contents),
    }
  }
  const send = async ({ batch, payload }: ReturnType<typeof sign>) =>
    (await ask(world, peer, { tag: 'Changes', key: signer.key, batch }, payload)).answer
  return {
    signer,
    peer,
    folder,
    key: signer.key,
    sign,
    send,
    signIn,
    change: (changes: readonly Change[], batch: Partial<Batch> = {}) => send(sign(changes, batch)),
    ask: (request: Request, payload?: Uint8Array) => ask(world, peer, request, payload),
    sync: async (position = -1) => (await ask(world, peer, { tag: 'Sync', key: signer.key, folder, position, chain: '' })).answer,
    upload: async (bytes: readonly Uint8Array[]) =>
      (await ask(world, peer, { tag: 'Chunks', key: signer.key, folder, chunks: bytes.map(chunkOf) }, Buffer.concat(bytes))).answer,
    open: (version: number, chunks: readonly Hash[], of: FolderId = folder) =>
      ask(world, peer, { tag: 'Open', key: signer.key, folder: of, unchecked: false, files: [{ version, chunks }] }),
  }
}

export type Enrolled = Awaited<ReturnType<typeof enrol>>

export const chunkOf = (bytes: Uint8Array): Chunk => ({ hash: sha256(bytes), size: bytes.length })

export const bytesOf = (text: string): Buffer => Buffer.from(text)

/** A file of one chunk that holds this text. */
export const textFile = (text: string, modified = '1000000'): Content => {
  const chunk = chunkOf(bytesOf(text))
  return { kind: 'file', size: chunk.size, hash: chunk.hash, manifest: { tag: 'chunks', chunks: [chunk] }, executable: false, modified }
}

export const creating = (at: string, text: string): Change => ({ tag: 'create', path: path(at), content: textFile(text), base: 'none' })
export const updating = (at: string, text: string, base: number): Change => ({
  tag: 'update',
  path: path(at),
  content: textFile(text),
  base,
})
export const deleting = (at: string, base: number): Change => ({ tag: 'delete', path: path(at), base })
