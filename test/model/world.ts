import * as E from 'fp-ts/lib/Either.js'
import { startFolderSync } from '../../src/agent/engine/folder-sync.ts'
import type { AgentKey, FolderId } from '../../src/domain/events.ts'
import type { Hash } from '../../src/domain/content.ts'
import type { RecordedEvent } from '../../src/eventlog/port.ts'
import { decodeFolderEvent, decodeMetadata } from '../../src/protocol/event-codec.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import type { Request } from '../../src/protocol/messages.ts'
import { encodeRequest } from '../../src/protocol/request-writer.ts'
import { createKeyPair, registrationProofText, type Signer } from '../../src/protocol/signing.ts'
import { NO_BYTES, type Envelope } from '../../src/transport/port.ts'
import { DIRECTORY, idOf, idOfHash, type ContentId } from './content-id.ts'
import { Device, signInRequest, type Surroundings } from './device.ts'
import { perform } from './device-operations.ts'
import { Contents } from './contents.ts'
import type { Acknowledged, Evidence, LogEntry } from './oracle/evidence.ts'
import { disagreements } from './oracle/oracle.ts'
import { randomFrom, type Random } from './random.ts'
import type { Schedule, Step } from './schedule.ts'
import { verifying } from '../support/audit-world.ts'
import { Scheduler } from './scheduler.ts'
import { SimGateway } from './sim-gateway.ts'
import { SimClient, SimNetwork } from './sim-network.ts'
import { Trace } from './trace.ts'
import { Texts } from './user.ts'

const NAMES = ['ann', 'ben', 'cat', 'dan'] as const
const EMAIL = 'user@example.org'
const PASSWORD = 'correct horse'

/** Keys cost time to make: each device always has the same. */
const SIGNERS: readonly Signer[] = NAMES.map((_, index) => createKeyPair(Buffer.alloc(32, index + 1)))

/** Two to four devices, a gateway, and all that can go wrong between them. */
export class World {
  readonly scheduler = new Scheduler()
  readonly trace: Trace
  readonly contents = new Contents()
  readonly devices: Device[] = []
  readonly #random: Random
  readonly #network: SimNetwork
  readonly #gateway: SimGateway
  readonly #schedule: Schedule
  readonly #log: LogEntry[] = []
  readonly #acknowledged: Acknowledged[] = []
  #folder: FolderId | undefined

  constructor(schedule: Schedule, seed: number, traced: boolean) {
    this.#schedule = schedule
    this.#random = randomFrom(seed)
    this.trace = new Trace(this.scheduler, traced)
    this.#network = new SimNetwork(this.scheduler, this.#random.fork(), schedule.network, this.#onAnswer)
    this.#gateway = new SimGateway(this.scheduler, this.#network, this.#random.fork(), this.trace, (event) => this.#onAppend(event))
  }

  get log(): readonly LogEntry[] {
    return this.#log
  }

  /** Makes the account and the devices, with what is in their folders before, and starts everything. */
  async start(): Promise<void> {
    this.#network.healed = true
    this.#gateway.faults = false
    await this.#gateway.start()
    const { folder, gatewayKey } = await this.scheduler.drive(this.#register())
    this.#folder = folder
    this.#network.healed = false
    this.#gateway.faults = true
    const surroundings: Surroundings = {
      scheduler: this.scheduler,
      network: this.#network,
      trace: this.trace,
      contents: this.contents,
      texts: new Texts(),
      startFolderSync,
      folder,
      gatewayKey,
    }
    for (const [index, traits] of this.#schedule.devices.entries()) this.devices.push(this.#device(surroundings, index, traits))
    for (const device of this.devices) device.start()
  }

  run(step: Step): void {
    const device = this.devices[step.device % this.devices.length]
    const { operation } = step
    if (operation.tag === 'killGateway') return this.#gateway.kill()
    if (operation.tag === 'killGatewayIn') return this.#gateway.killIn(operation.appends)
    if (device !== undefined) perform(device, operation, step.race, (held) => this.#filesInSync(held))
  }

  /** Everything works again, and people do what they are asked for. */
  heal(): void {
    this.trace.say('world', () => 'all is healed')
    this.#network.heal()
    this.#gateway.faults = false
    void this.#gateway.start()
    for (const device of this.devices) device.heal()
  }

  /** People look after what the agents ask. */
  attend(): void {
    for (const device of this.devices) device.attend()
  }

  /** How the devices and the log differ; nothing once all has come to rest. */
  unrest(): string[] {
    const stopped = this.devices
      .filter((device) => device.process === undefined || device.process.stopping)
      .map((device) => `${device.name} does not run`)
    return stopped.length > 0
      ? stopped
      : disagreements(
          this.devices.map((device) => device.evidence()),
          this.#log,
        )
  }

  /** Which agents say that they are not in sync. (One that can't hold all names never says so.) */
  worried(): string[] {
    // A root without its marker waits for a person whatever it holds (I15): that no file was lost with it nobody but the person can tell.
    const rootIsLost = (device: Device): boolean => device.process?.sync?.status().held.includes('') === true
    const exact = this.devices.filter((device) => device.traits.folding === 'exact' && !device.saysInSync)
    return exact
      .filter((device) => !rootIsLost(device))
      .map((device) => `${device.name} says ${JSON.stringify(device.process?.sync?.status())}`)
  }

  /** Where everybody stands, for a reader of the trace. */
  standing(): string[] {
    return this.devices.flatMap((device) => {
      const tree = [...device.history.tree()].map(([path, inode]) => `${path} [${this.contents.show(idOf(inode))}]`)
      return [`${device.name} has ${tree.join(', ')}`, `${device.name} says ${JSON.stringify(device.process?.sync?.status())}`]
    })
  }

  /** Whatever went wrong on the way: the log and its contents prove themselves, and the audit finds nothing (I9). */
  async verify(): Promise<void> {
    const { faults, totals } = await verifying(this.#gateway.written())
    for (const { kind, stream, revision, reason } of faults) this.trace.violated('I9', `${kind} ${stream}@${revision}: ${reason}`)
    for (const place of totals.unjudged) this.trace.violated('I9', `nothing is judged from ${place} on`)
  }

  async evidence(): Promise<Evidence> {
    const chunks = new Set(
      this.#log.flatMap(({ event }) =>
        'content' in event && event.content.manifest.tag === 'chunks' ? event.content.manifest.chunks.map(({ hash }) => hash) : [],
      ),
    )
    const missing: Hash[] = []
    const store = this.#gateway.openStore()
    for (const hash of chunks) if (E.isLeft(await store.get(hash)())) missing.push(hash)
    return {
      trace: this.trace,
      contents: this.contents,
      devices: this.devices.map((device) => device.evidence()),
      log: this.#log,
      acknowledged: this.#acknowledged,
      missingChunks: missing,
      stateTree: this.#gateway.tree(),
      sync: (position, chain) => this.scheduler.drive(this.#sync(position, chain)),
      positions: [-1, ...[1, 2, 3].map(() => this.#random.int(this.#log.length))],
    }
  }

  async #register(): Promise<{ readonly folder: FolderId; readonly gatewayKey: string }> {
    const client = new SimClient(this.#network, 'setup')
    await this.#ask(client, { tag: 'RegisterUser', email: EMAIL, password: PASSWORD })
    let folder: FolderId | undefined
    for (const [index] of this.#schedule.devices.entries()) folder = await this.#enrol(client, index)
    client.abandon()
    if (folder === undefined) throw new Error('there are no devices')
    return { folder, gatewayKey: this.#gateway.signer.publicKey }
  }

  async #enrol(client: SimClient, index: number): Promise<FolderId> {
    // There are as many names and signers as devices at most.
    const signer = SIGNERS[index] as Signer
    const { message } = await this.#ask(client, {
      tag: 'RegisterAgent',
      key: signer.key,
      email: EMAIL,
      password: PASSWORD,
      name: NAMES[index] ?? '',
      publicKey: signer.publicKey,
      proof: signer.sign(registrationProofText(EMAIL, signer.publicKey)),
      vouchedBy: undefined,
      countersignature: undefined,
    })
    // The gateway's answer to an enrolment names the folder.
    return message['Folder'] as FolderId
  }

  /** Asks until there is an answer of 200. */
  async #ask(client: SimClient, request: Request): Promise<Envelope> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const answer = await client.request({ message: encodeRequest(request, 0), payload: NO_BYTES })()
      if (E.isRight(answer) && answer.right.message['Status'] === 200) return answer.right
      if (E.isRight(answer)) this.trace.say('world', () => `${request.tag}: ${JSON.stringify(answer.right.message)}`)
      await new Promise<void>((resolve) => void this.scheduler.after(100, resolve))
    }
    throw new Error(`the gateway never answered ${request.tag}`)
  }

  async #sync(position: number, chain: string): Promise<JsonObject[]> {
    const signer = SIGNERS[0] as Signer
    const client = new SimClient(this.#network, 'auditor', (nonce) => signInRequest(signer, nonce))
    const pages: JsonObject[] = []
    // The folder was made before any device was started; chains are hashes, as the log's events and the answers have them.
    const folder = this.#folder as FolderId
    const from = { position, chain: chain as Hash | '' }
    for (;;) {
      const { message } = await this.#ask(client, { tag: 'Sync', key: signer.key, folder, ...from })
      pages.push(message)
      from.position = Number(message['Position'])
      from.chain = message['Chain'] as Hash
      if (message['More'] !== true) break
    }
    client.abandon()
    return pages
  }

  #device(surroundings: Surroundings, index: number, traits: Schedule['devices'][number]): Device {
    const device = new Device(surroundings, NAMES[index] ?? '', traits, SIGNERS[index] as Signer, this.#random.fork())
    for (let file = 0; file < traits.initialFiles; file++)
      device.perform(
        { tag: 'write', at: { name: `i${file}` }, text: { tag: 'fresh', size: 'short' }, how: 'atOnce', pause: 0, synced: false },
        0,
      )
    return device
  }

  readonly #onAnswer = (client: string, request: Envelope, answer: Envelope): void => {
    if (request.message['Action'] !== 'Changes' || answer.message['Status'] !== 200) return
    this.#acknowledged.push({ device: client, request: request.message, answer: answer.message })
  }

  #onAppend(event: RecordedEvent): void {
    if (!event.stream.startsWith('folder-')) return
    const decoded = decodeFolderEvent(event)
    const metadata = decodeMetadata(event.metadata)
    if (E.isLeft(decoded) || E.isLeft(metadata)) return this.trace.violated('model', `an event can't be read: ${event.data}`)
    const entry: LogEntry = {
      sequence: this.trace.next(),
      revision: event.revision,
      id: event.id,
      chain: event.chain,
      device: this.#deviceOf(metadata.right.agent),
      event: decoded.right,
      action: actionOf(event.data),
      content: 'content' in decoded.right ? this.#idOf(decoded.right.content) : undefined,
    }
    this.#log.push(entry)
    this.trace.say('log', () => `${entry.revision} by ${entry.device ?? 'gateway'}: ${describe(entry, this.contents)}`)
  }

  #deviceOf(key: AgentKey | undefined): string | undefined {
    return this.devices.find((device) => device.signer.key === key)?.name
  }

  /** The model's files have one chunk at most, so that a content's hash is its bytes' hash. */
  #idOf({ kind, hash }: { readonly kind: string; readonly hash: string }): ContentId {
    return kind === 'directory' ? DIRECTORY : idOfHash(kind, hash)
  }

  /** How many of these files the log has, just as they are. */
  #filesInSync(held: ReadonlyMap<string, ContentId>): number {
    const live = new Map<string, ContentId | undefined>()
    for (const { event, content } of this.#log) {
      if (event.type === 'FileMoved') live.delete(event.from)
      if (event.type === 'FileDeleted') live.delete(event.path)
      else if ('path' in event) live.set(event.path, content)
    }
    return [...held].filter(([path, id]) => id.startsWith('file:') && live.get(path) === id).length
  }
}

const actionOf = (data: string): string | undefined => {
  // An event that the gateway made of a signed change.
  const { change } = JSON.parse(data) as { readonly change?: { readonly Action?: string } }
  return change?.Action
}

const describe = ({ event, content }: LogEntry, contents: Contents): string => {
  const from = event.type === 'FileMoved' ? `${event.from} -> ` : ''
  return `${event.type} ${from}${'path' in event ? event.path : ''} ${content === undefined ? '' : contents.show(content)}`
}
