import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { controlAddress } from '../../src/agent/control/address.ts'
import { askAgent } from '../../src/agent/control/client.ts'
import { folderAt } from '../../src/agent/device/folders.ts'
import type { FolderStatus } from '../../src/agent/engine/folder-sync.types.ts'
import { TcpProxy } from '../../test/support/tcp-proxy.ts'
import type { Backend } from './backend.ts'
import { untilSame, type Wanted } from './files.ts'
import { cpuOf } from './machine.ts'

const EVENTSYNC = join(import.meta.dirname, '..', '..', 'bin', 'eventsync')
const EMAIL = 'bench@example.org'
const { EVENTSYNC_BENCH_PROFILE: profiles } = process.env
const ENVIRONMENT = { ...process.env, EVENTSYNC_PASSWORD: 'benchmark', EVENTSYNC_STATE: undefined }

/** Profiles of each process, where they are asked for: what V8 samples of its threads, in a directory by the process's name. */
const profileOptions = (name: string): NodeJS.ProcessEnv =>
  profiles === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(profiles, name)}` }

/** A process whose output goes to a file, so that nobody spends time on it. */
class Running {
  readonly child: ChildProcess
  readonly log: string
  readonly #ended: Promise<void>

  constructor(log: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const out = openSync(log, 'a')
    this.log = log
    this.child = spawn(EVENTSYNC, [...args], {
      stdio: ['ignore', out, out],
      env: { ...ENVIRONMENT, ...env, ...profileOptions(basename(log, '.log')) },
    })
    closeSync(out)
    this.#ended = new Promise((resolve) => this.child.once('close', () => resolve()))
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  /** Throws where it has ended by itself. */
  check(): void {
    if (this.child.exitCode !== null)
      throw new Error(`a process ended with ${this.child.exitCode}: ${readFileSync(this.log, 'utf8').slice(-2000)}`)
  }

  async stop(): Promise<void> {
    const late = setTimeout(() => this.child.kill('SIGKILL'), 20_000)
    this.child.kill('SIGTERM')
    await this.#ended
    clearTimeout(late)
  }
}

/** One device: a folder, and the agent that keeps it. */
export class Device {
  readonly folder: string
  readonly state: string
  /** Counts the bytes of this device's connection. */
  readonly relay: TcpProxy | undefined
  readonly #backend: Backend
  #agent: Running | undefined

  constructor(root: string, name: string, backend: Backend, relay: TcpProxy | undefined) {
    this.folder = join(root, name)
    this.state = join(root, `${name}-state`)
    this.relay = relay
    this.#backend = backend
    mkdirSync(this.folder)
  }

  get pid(): number {
    return this.#agent?.pid ?? -1
  }

  check(): void {
    this.#agent?.check()
  }

  start(): void {
    const server = this.relay === undefined ? [] : ['--server', this.#backend.urlAt(this.relay.port)]
    this.#agent = new Running(`${this.folder}.log`, ['agent', this.folder, '--state', this.state, ...server])
  }

  async stop(): Promise<void> {
    await this.#agent?.stop()
    this.#agent = undefined
  }

  async status(): Promise<FolderStatus | undefined> {
    this.#agent?.check()
    const address = controlAddress(folderAt(realpathSync(this.state), this.folder).directory)
    const answer = await askAgent(address, { ask: 'status' }, AbortSignal.timeout(60_000))()
    return E.isRight(answer) && answer.right.tag === 'status' ? answer.right.status : undefined
  }

  /** Resolves once the agent says that all is in sync; the moment at which it was asked. */
  async inSync(seconds = 600): Promise<number> {
    const deadline = performance.now() + seconds * 1000
    for (;;) {
      const asked = performance.now()
      const status = await this.status()
      if (status?.inSync === true) return asked
      if (asked > deadline) throw new Error(`${this.folder} is not in sync after ${seconds} s: ${JSON.stringify(status)}`)
      await pause(5)
    }
  }
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

/** A gateway and two registered devices, as processes of their own, in a fresh directory. The agents do not run yet. */
export class Stack implements AsyncDisposable {
  readonly a: Device
  readonly b: Device
  readonly data: string
  readonly #gateway: Running
  readonly #parts = new AsyncDisposableStack()

  private constructor(root: string, backend: Backend, gateway: Running, relays: readonly (TcpProxy | undefined)[]) {
    this.#gateway = gateway
    this.data = join(root, 'data')
    this.a = new Device(root, 'A', backend, relays[0])
    this.b = new Device(root, 'B', backend, relays[1])
    this.#parts.use(backend)
    this.#parts.defer(() => gateway.stop())
    for (const relay of relays) if (relay !== undefined) this.#parts.use(relay)
    for (const device of [this.a, this.b]) this.#parts.defer(() => device.stop())
  }

  /** `counted`: each device reaches the gateway through a relay that counts. */
  static async create(root: string, backend: Backend, counted = false): Promise<Stack> {
    mkdirSync(root, { recursive: true })
    const port = await freePort()
    const args = ['serve', '--data', join(root, 'data'), '--listen', `127.0.0.1:${port}`]
    const gateway = new Running(join(root, 'gateway.log'), args, backend.settings)
    const entrance = backend.entrance(port)
    const relays = counted ? [await relayTo(entrance), await relayTo(entrance)] : []
    const stack = new Stack(root, backend, gateway, relays)
    try {
      await stack.#prepare(port, backend.urlAt(entrance))
      return stack
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
  }

  async #prepare(port: number, url: string): Promise<void> {
    while (
      !(await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      this.#gateway.check()
      await pause(20)
    }
    const server = ['--server', url]
    await command(['user', 'add', EMAIL, ...server])
    for (const [name, { state }] of Object.entries({ a: this.a, b: this.b }))
      await command(['register', EMAIL, ...server, '--name', name, '--state', state])
  }

  /** Waits until B is as wanted and equals A: the moment at which it was. */
  untilSame(wanted: Wanted, seconds?: number): Promise<number> {
    return untilSame({ a: this.a.folder, b: this.b.folder, alive: () => this.check() }, wanted, seconds)
  }

  /** Throws where one of the processes has ended. */
  check(): void {
    this.#gateway.check()
    this.a.check()
    this.b.check()
  }

  start(): void {
    this.a.start()
    this.b.start()
  }

  async inSync(): Promise<void> {
    await Promise.all([this.a.inSync(), this.b.inSync()])
  }

  /** CPU seconds so far: gateway, A, B. */
  cpu(): [number, number, number] {
    return [cpuOf(this.#gateway.pid), cpuOf(this.a.pid), cpuOf(this.b.pid)]
  }

  get gatewayPid(): number {
    return this.#gateway.pid
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}

const relayTo = async (port: number): Promise<TcpProxy> => {
  const relay = await TcpProxy.listen()
  relay.target = port
  return relay
}

const command = (args: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(EVENTSYNC, [...args], { stdio: ['ignore', 'ignore', 'inherit'], env: ENVIRONMENT })
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`eventsync ${args.join(' ')} ended with ${code ?? 'a signal'}`)),
    )
  })

/** Bytes that passed the devices' relays since they were last looked at: up and down, of A and of B; KiB. */
export const wireSince = ({ a, b }: Stack): (() => { aUp: number; aDown: number; bUp: number; bDown: number }) => {
  const [up, down] = [
    [a.relay?.up ?? 0, b.relay?.up ?? 0],
    [a.relay?.down ?? 0, b.relay?.down ?? 0],
  ] as const
  return () => ({
    aUp: ((a.relay?.up ?? 0) - up[0]) / 1024,
    aDown: ((a.relay?.down ?? 0) - down[0]) / 1024,
    bUp: ((b.relay?.up ?? 0) - up[1]) / 1024,
    bDown: ((b.relay?.down ?? 0) - down[1]) / 1024,
  })
}
