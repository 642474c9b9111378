import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { expect } from 'vitest'
import { controlAddress } from '../../src/agent/control/address.ts'
import { askAgent } from '../../src/agent/control/client.ts'
import { folderAt } from '../../src/agent/device/folders.ts'
import type { FolderStatus } from '../../src/agent/engine/folder-sync.types.ts'
import { enrol, signUp } from '../../src/compose/account.ts'
import { countOf } from './log.ts'
import { Daemon, run, type Environment, type Finished } from './processes.ts'
import { freshProfile, type Profile } from './profiles/profile.ts'
import { treeOf } from './tree.ts'
import { until } from './wait.ts'

export const EMAIL = 'ada@example.org'
export const PASSWORD = 'correct horse battery staple'

interface Registration {
  readonly email?: string
  readonly password?: string
  readonly url?: string
}

/** A gateway and devices as real processes on one of the profiles, in a temporary directory and on free ports; disposing of it ends them all. */
export class World implements AsyncDisposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'es-')))
  readonly #env: Environment
  readonly #daemons: Daemon[] = []
  readonly port: number
  readonly profile: Profile
  #gateway: Daemon | undefined

  private constructor(port: number, profile: Profile, env: Environment) {
    this.port = port
    this.profile = profile
    this.#env = { ...profile.settings, ...env }
  }

  /** With a gateway that runs and an account; on the profile that the run is for, unless one is given. */
  static async create(env: Environment = {}, profile?: Profile): Promise<World> {
    await using parts = new AsyncDisposableStack()
    const world = parts.use(new World(await freePort(), profile ?? (await freshProfile()), env))
    await world.startGateway()
    await world.account()
    parts.move()
    return world
  }

  /** Where devices come. */
  get url(): string {
    return this.profile.urlAt(this.entrance)
  }

  /** The port of {@link url}: the gateway's, or the broker's. */
  get entrance(): number {
    return this.profile.entrance(this.port)
  }

  /** The gateway's own door, which every profile has. */
  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** How many events of each type its log holds; file events with their kind: `FileCreated file`. */
  async countEvents(): Promise<ReadonlyMap<string, number>> {
    return countOf(await this.profile.events(this.data))
  }

  get data(): string {
    return join(this.root, 'data')
  }

  get gateway(): Daemon {
    if (this.#gateway === undefined) throw new Error('the gateway was not started')
    return this.#gateway
  }

  /** An account, made without a process of its own (which is most of what `user add` costs). */
  async account(email = EMAIL, password = PASSWORD): Promise<void> {
    if (this.trustsMore) expect(await this.userAdd(email, password)).toMatchObject({ code: 0 })
    else expect(await signUp({ server: this.url, email, password })).toEqual(E.right(undefined))
  }

  /** Devices need something in their environment: nobody else can do their part. */
  get trustsMore(): boolean {
    return Object.keys(this.profile.devices).length > 0
  }

  userAdd(email = EMAIL, password = PASSWORD): Promise<Finished> {
    return run(['user', 'add', email, '--server', this.url], { EVENTSYNC_PASSWORD: password, ...this.profile.devices })
  }

  async startGateway(): Promise<void> {
    const gateway = this.daemon(['serve', '--data', this.data, '--listen', `127.0.0.1:${this.port}`], this.#env)
    this.#gateway = gateway
    const ready = async (): Promise<boolean> => {
      if (!gateway.running) throw new Error(`the gateway ended:\n${gateway.lines.join('\n')}`)
      return this.isReady()
    }
    await until('the gateway to be ready', ready, 40).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said:\n${gateway.lines.slice(-20).join('\n')}`, { cause: error })
    })
  }

  async isReady(port = this.port): Promise<boolean> {
    return (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok === true
  }

  /** Another gateway with the same settings and the same key, which agents pin; it has to share its log and its store with the first. */
  async anotherGateway(env: Environment = {}): Promise<{ readonly url: string; readonly daemon: Daemon }> {
    const data = join(this.root, 'other-data')
    const port = await freePort()
    mkdirSync(data, { mode: 0o700 })
    cpSync(join(this.data, 'gateway.pem'), join(data, 'gateway.pem'))
    const daemon = this.daemon(['serve', '--data', data, '--listen', `127.0.0.1:${port}`], { ...this.#env, ...env })
    await until('the other gateway to be ready', () => this.isReady(port))
    return { url: `ws://127.0.0.1:${port}`, daemon }
  }

  daemon(args: readonly string[], env: Environment = {}): Daemon {
    const daemon = new Daemon(args, env)
    this.#daemons.push(daemon)
    return daemon
  }

  /** A device that is registered; its folder is not made yet. */
  async device(name: string, options: Registration = {}): Promise<Device> {
    const device = new Device(this, name)
    await device.enrol(options)
    return device
  }

  /** Two devices whose agents run. */
  async pair(): Promise<[Device, Device]> {
    const devices: [Device, Device] = [await this.device('laptop'), await this.device('desktop')]
    for (const device of devices) await device.start()
    return devices
  }

  /** One value of the gateway's metrics, the sum of its labels' series. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text()
    const values = text
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
    return values.reduce((sum, value) => sum + value, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon[Symbol.asyncDispose]()))
    await this.profile[Symbol.asyncDispose]()
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** One device: a state directory, a folder, and the agent that keeps it. */
export class Device {
  readonly name: string
  readonly state: string
  readonly folder: string
  readonly #world: World
  #agent: Daemon | undefined

  constructor(world: World, name: string, state = join(world.root, `${name}-state`)) {
    this.#world = world
    this.name = name
    this.state = state
    this.folder = join(world.root, name)
  }

  /** Another place on the same device. */
  place(name: string): Device {
    return new Device(this.#world, name, this.state)
  }

  get agent(): Daemon {
    if (this.#agent === undefined) throw new Error(`the agent of ${this.name} was not started`)
    return this.#agent
  }

  /** A path inside its folder, which is made where it is missing. */
  path(...names: string[]): string {
    mkdirSync(this.folder, { recursive: true })
    return join(this.folder, ...names)
  }

  /** As {@link register} does, without a process of its own. */
  async enrol(options: Registration = {}): Promise<void> {
    const { email = EMAIL, password = PASSWORD, url: server = this.#world.url } = options
    if (this.#world.trustsMore) expect(await this.register(options)).toMatchObject({ code: 0 })
    else
      expect(await enrol(this.state, { server, email, password, name: this.name, insecure: false })).toMatchObject({
        _tag: 'Right',
      })
  }

  register({ email = EMAIL, password = PASSWORD, url = this.#world.url }: Registration = {}): Promise<Finished> {
    return this.run('register', email, '--server', url, '--name', this.name, { EVENTSYNC_PASSWORD: password })
  }

  /** A command of this device; an object as the last argument is its environment. */
  run(...args: (string | Environment)[]): Promise<Finished> {
    const env = args.find((arg) => typeof arg === 'object') ?? {}
    return run([...args.filter((arg) => typeof arg === 'string'), '--state', this.state], { ...this.#world.profile.devices, ...env })
  }

  /** Starts its agent, and waits until it can be asked. */
  async start(...args: string[]): Promise<Daemon> {
    const agent = this.#world.daemon(['agent', this.folder, '--state', this.state, '--json', ...args], this.#world.profile.devices)
    this.#agent = agent
    await until(`the agent of ${this.name} to answer`, async () => {
      if (!agent.running) throw new Error(`the agent of ${this.name} ended:\n${agent.lines.join('\n')}`)
      return (await this.#ask('status', 5)) !== undefined
    })
    return agent
  }

  /** Its status, when everything found is settled. */
  async settle(seconds = 20): Promise<FolderStatus> {
    const status = await this.#ask('settle', seconds)
    if (status === undefined)
      throw new Error(`${this.name} was not settled within ${seconds} s; ${this.#words(await this.#ask('status', 5))}`)
    return status
  }

  async status(): Promise<FolderStatus> {
    const status = await this.#ask('status', 5)
    if (status === undefined) throw new Error(`the agent of ${this.name} does not answer; ${this.#words(undefined)}`)
    return status
  }

  #words(status: FolderStatus | undefined): string {
    return `its status is ${JSON.stringify(status)}, and it said:\n${this.agent.lines.slice(-20).join('\n')}`
  }

  get tree(): string[] {
    return treeOf(this.folder)
  }

  async #ask(ask: 'status' | 'settle', seconds: number): Promise<FolderStatus | undefined> {
    const answer = await askAgent(
      controlAddress(folderAt(realpathSync(this.state), this.folder).directory),
      { ask },
      AbortSignal.timeout(seconds * 1000),
    )()
    return E.isRight(answer) && answer.right.tag === 'status' ? answer.right.status : undefined
  }
}

const statusesOf = async (devices: readonly Device[]): Promise<readonly FolderStatus[]> => {
  for (const device of devices) await device.settle()
  return Promise.all(devices.map((device) => device.status()))
}

const REST_MS = 20_000

/**
 * Settles all devices (twice at least: a conflict copy of one is news for the others; and until all rest at one moment, since a late word of the
 * watcher makes one look again), and expects them to hold the same.
 */
export const expectSame = async (...devices: readonly Device[]): Promise<void> => {
  await statusesOf(devices)
  let statuses = await statusesOf(devices)
  for (const end = performance.now() + REST_MS; performance.now() < end && !statuses.every(({ inSync }) => inSync);)
    statuses = await statusesOf(devices)
  for (const [at, status] of statuses.entries())
    expect(status, devices[at]?.name).toMatchObject({ inSync: true, connected: true, pending: 0, held: [], problems: [] })
  const [first, ...others] = devices
  for (const other of others) expect(other.tree, `${other.name} against ${first?.name ?? ''}`).toEqual(first?.tree)
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
