import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished } from 'vitest'
import { inlineDisk } from '../../src/agent/disk/inline.ts'
import type { Disk } from '../../src/agent/disk/port.ts'
import { startFolderSync } from '../../src/agent/engine/folder-sync.ts'
import type { FolderReport, FolderStatus, FolderSync } from '../../src/agent/engine/folder-sync.types.ts'
import type { Hint, Watch } from '../../src/agent/watch/port.ts'
import { nodeFileSystem } from '../../src/filesystem/node.ts'
import type { FileSystem } from '../../src/filesystem/port.ts'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { encodeRequest } from '../../src/protocol/request.ts'
import { signInText } from '../../src/protocol/signing.ts'
import { MemoryNetwork } from '../../src/transport/memory.ts'
import type { ClientTransport, FolderAt } from '../../src/transport/port.ts'
import { path, temporaryFolder } from './disk.ts'
import { enrol, gatewayWorld, type Enrolled, type World as GatewayWorld } from './gateway.ts'
import { pathsOf, treeOf } from './tree.ts'
import { until, within } from './wait.ts'

const SETTLE_SECONDS = 20

export interface EngineDeviceOptions {
  readonly maxFileSize?: number
  readonly clock?: Clock
  /** Stands between the engine and the real file system. */
  readonly fs?: (real: FileSystem) => FileSystem
  /** Stands between the engine and its disk work. */
  readonly disk?: (real: Disk) => Disk
}

/** A watch that hints at what a test tells it. */
class HandWatch implements Watch {
  #hint: ((hint: Hint) => void) | undefined

  async start(hint: (hint: Hint) => void): Promise<AsyncDisposable> {
    this.#hint = hint
    return { [Symbol.asyncDispose]: async () => void (this.#hint = undefined) }
  }

  hint(hint: Hint): void {
    this.#hint?.(hint)
  }
}

/** A message on its way, stopped before the gateway sees it. */
export interface Stopped {
  readonly arrived: Promise<void>
  release(): void
}

interface Waiting {
  readonly device: EngineDevice
  readonly action: string
  readonly arrived: PromiseWithResolvers<void>
  readonly released: PromiseWithResolvers<void>
}

/** The gateway over memory adapters, and engines over real temporary folders, in this process. */
export class EngineWorld {
  readonly gateway: GatewayWorld
  readonly network = new MemoryNetwork({ clock: systemClock })
  readonly devices: EngineDevice[] = []
  /** How many bytes of contents have gone up and down in answer to requests. */
  contentBytes = 0
  /** What devices have asked, and when they are told of the folder's growth: a test may tell them something else. */
  readonly asked: { readonly device: string | undefined; readonly action: unknown }[] = []
  telling: (told: FolderAt) => FolderAt = (told) => told
  readonly #stopped: Waiting[] = []

  private constructor(gateway: GatewayWorld) {
    this.gateway = gateway
  }

  static async create(): Promise<EngineWorld> {
    const world = new EngineWorld(await gatewayWorld())
    const server = world.network.server()
    server.serve(async (envelope, peer, signal) => {
      world.asked.push({ device: peer.agent, action: envelope.message['Action'] })
      await world.#pass(envelope.message['Action'], peer.agent)
      const answer = await world.gateway.gateway.handle(envelope, peer, signal)
      world.contentBytes += envelope.payload.length + answer.payload.length
      return answer
    })
    world.gateway.gateway.addNotifier({
      notify: (agents, told) => server.notify(agents, world.telling(told)),
      disconnect: (agent, reason) => server.disconnect(agent, reason),
    })
    onTestFinished(async () => {
      for (const device of world.devices) await device.stop()
      await server[Symbol.asyncDispose]()
    })
    return world
  }

  /** Two devices that run. */
  static async pair(
    options: EngineDeviceOptions = {},
  ): Promise<{ readonly world: EngineWorld; readonly a: EngineDevice; readonly b: EngineDevice }> {
    const world = await EngineWorld.create()
    const a = await world.device(options)
    const b = await world.device(options)
    a.start()
    b.start()
    return { world, a, b }
  }

  /** A device that is enrolled; its engine does not run yet. */
  async device(options: EngineDeviceOptions = {}): Promise<EngineDevice> {
    const enrolled = await enrol(this.gateway, this.devices.length + 1)
    const device = new EngineDevice(this, enrolled, `device-${this.devices.length + 1}`, options)
    this.devices.push(device)
    return device
  }

  /** Stops the next message of a kind (`Changes`, `Sync`) that a device sends. */
  stopNext(device: EngineDevice, action: string): Stopped {
    const waiting = { device, action, arrived: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() }
    this.#stopped.push(waiting)
    return { arrived: within(`${device.name} to send ${action}`, waiting.arrived.promise), release: () => waiting.released.resolve() }
  }

  async #pass(action: unknown, agent: string | undefined): Promise<void> {
    const at = this.#stopped.findIndex((waiting) => waiting.action === action && waiting.device.key === agent)
    const [waiting] = at < 0 ? [] : this.#stopped.splice(at, 1)
    waiting?.arrived.resolve()
    await waiting?.released.promise
  }

  /** The types of all events of the folders' logs, in order. */
  get events(): string[] {
    return this.gateway.storage.all.filter(({ stream }) => stream.startsWith('folder-')).map(({ type }) => type)
  }

  /** Settles all devices until a round changes nothing anywhere. */
  async settle(): Promise<void> {
    for (let before = -1; before !== this.gateway.storage.all.length;) {
      before = this.gateway.storage.all.length
      for (const device of this.devices) if (device.running) await device.settle()
    }
  }
}

export class EngineDevice {
  readonly name: string
  readonly folder = temporaryFolder()
  readonly reports: FolderReport[] = []
  readonly watch = new HandWatch()
  readonly #world: EngineWorld
  readonly #enrolled: Enrolled
  readonly #options: EngineDeviceOptions
  /** The run of its machine: another one after a power cut. */
  boot = 'first'
  readonly database: DatabaseSync = openDatabase(':memory:', { synchronous: 'OFF' })
  #transport: ClientTransport | undefined
  #sync: FolderSync | undefined

  constructor(world: EngineWorld, enrolled: Enrolled, name: string, options: EngineDeviceOptions) {
    this.#world = world
    this.#enrolled = enrolled
    this.name = name
    this.#options = options
  }

  get key(): string {
    return this.#enrolled.key
  }

  get sync(): FolderSync {
    if (this.#sync === undefined) throw new Error(`${this.name} does not run`)
    return this.#sync
  }

  get running(): boolean {
    return this.#sync !== undefined
  }

  start(): void {
    const { signer, key, folder } = this.#enrolled
    const signIn = (nonce: string) => encodeRequest({ tag: 'SignIn', key, nonce, signature: signer.sign(signInText(nonce, key)) }, 0)
    const transport = this.#world.network.client({ name: this.name, signIn, maxPauseMs: 50 })
    const fs = nodeFileSystem(this.folder)
    const disk = inlineDisk(this.#options.fs?.(fs) ?? fs)
    this.#transport = transport
    this.#sync = startFolderSync({
      disk: this.#options.disk?.(disk) ?? disk,
      watch: this.watch,
      transport,
      database: this.database,
      clock: this.#options.clock ?? systemClock,
      random: Math.random,
      signer,
      agentName: this.name,
      agentKey: key,
      folder,
      gatewayKey: this.#world.gateway.signer.publicKey,
      settings: { scanEverySeconds: 3600, maxFileSize: this.#options.maxFileSize ?? 1024 ** 3 },
      boot: this.boot,
      report: (event) => void this.reports.push(event),
    })
  }

  async stop(): Promise<void> {
    await this.#sync?.stop()
    await this.#transport?.[Symbol.asyncDispose]()
    this.#sync = undefined
    this.#transport = undefined
  }

  async restart(): Promise<void> {
    await this.stop()
    this.start()
  }

  /** Looks at everything, and waits until all of it is settled both ways. */
  async settle(): Promise<FolderStatus> {
    const over = new AbortController()
    try {
      const failed = this.sync.failed.then((fatal) => Promise.reject(new Error(`${this.name} stopped by itself: ${JSON.stringify(fatal)}`)))
      return await within(`${this.name} to settle`, Promise.race([this.sync.settle(over.signal), failed]), SETTLE_SECONDS)
    } catch (error) {
      throw new Error(
        `${String(error)}; status ${JSON.stringify(this.sync.status())}; last said ${JSON.stringify(this.reports.slice(-8))}`,
        { cause: error },
      )
    } finally {
      over.abort()
    }
  }

  /** Waits until its status is as expected, without asking it for a look. */
  async until(what: string, check: (status: FolderStatus) => boolean): Promise<FolderStatus> {
    return until(`${this.name}: ${what}`, () => {
      const status = this.sync.status()
      return check(status) ? status : undefined
    })
  }

  /** Tells the engine where to look. */
  hint(...paths: readonly string[]): void {
    for (const each of paths) this.watch.hint({ tag: 'path', path: path(each) })
  }

  at(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, text: string | Uint8Array): void {
    mkdirSync(dirname(this.at(name)), { recursive: true })
    writeFileSync(this.at(name), text)
  }

  append(name: string, text: string): void {
    appendFileSync(this.at(name), text)
  }

  mkdir(name: string): void {
    mkdirSync(this.at(name), { recursive: true })
  }

  symlink(name: string, target: string): void {
    symlinkSync(target, this.at(name))
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to))
  }

  remove(name: string): void {
    rmSync(this.at(name), { recursive: true })
  }

  text(name: string): string {
    return readFileSync(this.at(name), 'utf8')
  }

  has(name: string): boolean {
    return existsSync(this.at(name))
  }

  inode(name: string): number {
    return statSync(this.at(name)).ino
  }

  /** All that is kept of the folder, one line a path. */
  get tree(): string[] {
    return treeOf(this.folder)
  }

  get paths(): string[] {
    return pathsOf(this.folder)
  }

  reportsOf<T extends FolderReport['tag']>(tag: T): Extract<FolderReport, { readonly tag: T }>[] {
    return this.reports.filter((event): event is Extract<FolderReport, { readonly tag: T }> => event.tag === tag)
  }
}

/** Settles all devices, and expects them to hold the same and to say that they are in sync. */
export const expectSame = async (world: EngineWorld): Promise<void> => {
  await world.settle()
  const [first, ...others] = world.devices
  for (const other of others) expect(other.tree, other.name).toEqual(first?.tree)
  for (const device of world.devices) {
    expect(device.sync.status(), device.name).toMatchObject({ inSync: true, pending: 0, incoming: 0, held: [], problems: [] })
  }
}

/** A notification as devices that are slow readers get it. */
export const withoutPage = ({ folder, position }: FolderAt): FolderAt => ({ folder, position })

export const conflictsOf = (device: EngineDevice): string[] => device.paths.filter((name) => name.includes(' (conflict '))
