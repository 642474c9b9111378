import { DatabaseSync } from 'node:sqlite'
import * as E from 'fp-ts/lib/Either.js'
import { createBlobStore } from '../../src/blobstore/chunk-store.ts'
import { createMemoryStore } from '../../src/blobstore/object-store/memory.ts'
import type { BlobStore, PackIndex } from '../../src/blobstore/port.ts'
import type { Content } from '../../src/domain/content.ts'
import { createMemoryLog, createMemoryStorage, type AppendOutcome } from '../../src/eventlog/memory.ts'
import type { EventLog, RecordedEvent } from '../../src/eventlog/port.ts'
import { DEFAULT_SETTINGS, NO_METRICS } from '../../src/gateway/deps.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import { openUploads } from '../../src/gateway/uploads.ts'
import { followInline } from '../../src/projections/follow/followed.ts'
import { catchUp } from '../../src/projections/state/catch-up.ts'
import { openState, type StateFold } from '../../src/projections/state/state.ts'
import { createKeyPair, verify } from '../../src/protocol/signing.ts'
import type { TreeRow } from './oracle/evidence.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimNetwork, SimServer } from './sim-network.ts'
import type { Trace } from './trace.ts'

const APPEND_MS = 2
const RESTART_MS = 1_500
/** How often an append's outcome is unknown, or it is refused for a while. */
const LOG_FAULTS = 0.01

const memory = (): DatabaseSync => new DatabaseSync(':memory:')

/** One life of the gateway's process. */
interface Process {
  alive: boolean
  readonly server: SimServer
  readonly log: EventLog
}

/** The gateway and what it stands on. The log and the stores outlive its process; nothing else does. */
export class SimGateway {
  readonly signer = createKeyPair(Buffer.alloc(32, 7))
  readonly storage = createMemoryStorage()
  readonly #objects = createMemoryStore()
  readonly #scheduler: Scheduler
  readonly #network: SimNetwork
  readonly #random: Random
  readonly #trace: Trace
  readonly #onAppend: (event: RecordedEvent) => void
  readonly #uploads = memory()
  #stateDatabase = memory()
  #followDatabase = memory()
  #state: StateFold | undefined
  #process: Process | undefined
  #appendsToKill = Number.POSITIVE_INFINITY
  faults = true

  /** What it has written, for an audit. */
  written(): { readonly events: readonly RecordedEvent[]; readonly objects: ReadonlyMap<string, Buffer> } {
    return { events: this.storage.all, objects: this.#objects.objects }
  }

  constructor(scheduler: Scheduler, network: SimNetwork, random: Random, trace: Trace, onAppend: (event: RecordedEvent) => void) {
    this.#scheduler = scheduler
    this.#network = network
    this.#random = random
    this.#trace = trace
    this.#onAppend = onAppend
  }

  get running(): boolean {
    return this.#process !== undefined
  }

  /** Starts a process; with its projections as they were, or without them. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return
    if (this.#random.chance(0.3)) this.#stateDatabase = memory()
    if (this.#random.chance(0.3)) this.#followDatabase = memory()
    const process: Process = { alive: true, server: this.#network.open(), log: this.#openLog(() => this.#process === process) }
    this.#process = process
    this.#state = openState(this.#stateDatabase)
    const followed = followInline(this.#followDatabase)
    const caughtUp = await catchUp(process.log, this.#state)
    if (E.isLeft(caughtUp)) throw new Error(`the state projection stopped: ${JSON.stringify(caughtUp.left)}`)
    followed.note(this.storage.all, () => undefined)
    if (!process.alive) return
    const gateway = createGateway({
      log: process.log,
      blobs: this.#openBlobs(followed),
      state: this.#state,
      followed,
      instance: 'gateway',
      uploads: openUploads(this.#uploads),
      clock: this.#scheduler.clock({ wallMs: 0 }, () => process.alive),
      random: (bytes) => Buffer.from(Array.from({ length: bytes }, () => this.#random.int(256))),
      signer: this.signer,
      verify: (key, text, signature) => Promise.resolve(verify(key, text, signature)),
      passwords: { make: (password) => Promise.resolve(password), check: (password, verifier) => Promise.resolve(password === verifier) },
      turn: () => Promise.resolve(),
      settings: DEFAULT_SETTINGS,
      metrics: NO_METRICS,
      logger: { info: () => {}, warn: this.#log, error: this.#error },
    })
    gateway.addNotifier(process.server)
    process.server.serve((envelope, peer, signal) => gateway.handle(envelope, peer, signal))
  }

  kill(): void {
    const process = this.#process
    if (process === undefined) return
    this.#trace.say('gateway', () => 'is killed')
    process.alive = false
    this.#process = undefined
    this.#appendsToKill = Number.POSITIVE_INFINITY
    this.#network.close(process.server)
    this.#scheduler.after(RESTART_MS * (0.2 + this.#random.next()), () => void this.start())
  }

  killIn(appends: number): void {
    this.#appendsToKill = appends
  }

  /** The rows of the tree that it decides by. */
  tree(): TreeRow[] {
    return this.#stateDatabase
      .prepare('SELECT path, revision, file_id, content FROM tree')
      .all()
      .map((row) => ({
        path: String(row['path']),
        revision: Number(row['revision']),
        fileId: String(row['file_id']),
        // The column holds a Content's JSON, or nothing where the path was deleted.
        content: row['content'] === null ? null : (JSON.parse(String(row['content'])) as Content),
      }))
  }

  /** What is stored, read as after a restart. */
  openStore(): BlobStore {
    const followed = followInline(memory())
    followed.note(this.storage.all, () => undefined)
    return this.#openBlobs(followed)
  }

  #openBlobs(index: PackIndex): BlobStore {
    return createBlobStore(this.#objects, index)
  }

  /** Of what it calls errors, only a throw is one that should never be. */
  readonly #error = (message: string, fields?: object): void => {
    if (fields !== undefined && 'error' in fields) this.#trace.violated('model', `the gateway: ${message} ${JSON.stringify(fields)}`)
    else this.#log(message, fields)
  }

  readonly #log = (message: string, fields?: object): void => this.#trace.say('gateway', () => `${message} ${JSON.stringify(fields ?? {})}`)

  #openLog(isCurrent: () => boolean): EventLog {
    return createMemoryLog(
      {
        onAppend: (stream, events) => {
          for (const event of events) this.#onAppend(event)
          if (isCurrent()) this.#state?.appended(stream, events)
        },
        outcome: () => this.#outcome(isCurrent),
      },
      this.storage,
    )
  }

  /** Appending takes time, may fail, and may be the last thing that the process does; a process that is gone gets no answer. */
  async #outcome(isCurrent: () => boolean): Promise<AppendOutcome> {
    const gone = new Promise<never>(() => {})
    if (!isCurrent()) return gone
    await this.#scheduler.clock({ wallMs: 0 }, isCurrent).sleep(APPEND_MS * this.#random.next())
    if (--this.#appendsToKill <= 0) {
      const written = this.#random.chance(0.5)
      this.kill()
      return written ? 'ok' : gone
    }
    if (!this.faults || !this.#random.chance(LOG_FAULTS)) return 'ok'
    return this.#random.pick(['unknown-but-written', 'unknown-not-written', 'unavailable', 'full'])
  }
}
