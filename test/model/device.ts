import { inlineDisk } from '../../src/agent/disk/inline.ts'
import type { FolderSync, FolderSyncDeps } from '../../src/agent/engine/folder-sync.types.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import { encodeRequest } from '../../src/protocol/request-writer.ts'
import { signInText, type Signer } from '../../src/protocol/signing.ts'
import { AgentDatabase } from './agent-database.ts'
import { AgentProcess } from './agent-process.ts'
import { idOf } from './content-id.ts'
import { DiskFaults } from './faults.ts'
import { agentView, type Guard } from './filesystem/agent-view.ts'
import { CrashSignal, SystemError } from './filesystem/errors.ts'
import { SimDisk } from './filesystem/sim-disk.ts'
import type { Contents } from './contents.ts'
import { DiskHistory } from './history.ts'
import type { DeviceEvidence, RootLoss } from './oracle/evidence.ts'
import { Races } from './races.ts'
import type { Random } from './random.ts'
import type { DeviceTraits, UserOperation } from './schedule.ts'
import { Livelock, type Scheduler, type Skew } from './scheduler.ts'
import { SimClient, type SimNetwork } from './sim-network.ts'
import { SimWatch } from './sim-watch.ts'
import type { Trace } from './trace.ts'
import { User, type Steps, type Texts } from './user.ts'

const CALL_COST_MS = 0.01
const RESTART_MS = 4_000

const TICKS: { readonly [tick in DeviceTraits['tick']]: { readonly clockTickNs: bigint; readonly storedTickNs: bigint } } = {
  fine: { clockTickNs: 1n, storedTickNs: 1n },
  tenMs: { clockTickNs: 10_000_000n, storedTickNs: 1n },
  twoSeconds: { clockTickNs: 2_000_000_000n, storedTickNs: 2_000_000_000n },
}

/** What the whole world shares. */
export interface Surroundings {
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly trace: Trace
  readonly contents: Contents
  readonly texts: Texts
  readonly startFolderSync: (deps: FolderSyncDeps) => FolderSync
  readonly folder: FolderSyncDeps['folder']
  readonly gatewayKey: string
}

/** A device: its disk, its user, and its agent's lives. */
export class Device {
  readonly name: string
  readonly signer: Signer
  readonly traits: DeviceTraits
  readonly disk: SimDisk
  readonly history: DiskHistory
  readonly faults = new DiskFaults()
  readonly races: Races
  readonly #world: Surroundings
  readonly #random: Random
  readonly #skew: Skew
  readonly #database = new AgentDatabase()
  readonly #user: User
  readonly #approvals: number[] = []
  readonly #rootLosses: RootLoss[] = []
  readonly #rootReturns: number[] = []
  readonly #cuts: number[] = []
  #process: AgentProcess | undefined

  constructor(world: Surroundings, name: string, traits: DeviceTraits, signer: Signer, random: Random) {
    this.#world = world
    this.name = name
    this.traits = traits
    this.signer = signer
    this.#random = random
    this.#skew = { wallMs: traits.skewMs }
    this.races = new Races(world.scheduler)
    this.history = new DiskHistory(name, world.contents, world.trace)
    const { folding, reusesInodes, hardLinks, readSize } = traits
    const nowNs = (): bigint => BigInt(Math.floor(world.scheduler.wallMs(this.#skew) * 1000)) * 1000n
    this.disk = new SimDisk({ folding, reusesInodes, hardLinks, readSize, ...TICKS[traits.tick] }, 1n, nowNs, this.history)
    this.history.attach(this.disk)
    this.history.onChange = (path) => this.#process?.watch.changed(path)
    this.#user = new User(this.disk, world.texts, name)
  }

  get process(): AgentProcess | undefined {
    return this.#process
  }

  /** What the agent says of itself: only ever asked in order to stop waiting early. */
  get saysInSync(): boolean {
    return this.#process?.sync?.status().inSync === true
  }

  say(text: string): void {
    this.#world.trace.say(this.name, () => text)
  }

  start(): void {
    if (this.#process !== undefined) return
    this.say('agent starts')
    const { scheduler, network } = this.#world
    const signIn = (nonce: string): JsonObject => signInRequest(this.signer, nonce)
    const watch = new SimWatch(scheduler, this.#random.fork(), network.traits.hintLoss)
    const process = new AgentProcess(new SimClient(network, this.name, signIn), watch)
    this.#process = process
    process.sync = this.#world.startFolderSync(this.#dependencies(process))
    process.sync.failed.then(
      (fatal) => this.#ended(process, JSON.stringify(fatal)),
      (error: unknown) => this.#crashed(process, error),
    )
  }

  /** A clean end. */
  stop(): void {
    const process = this.#process
    if (process === undefined || process.stopping) return
    this.say('agent stops')
    process.stopping = true
    process.sync?.stop().then(
      () => this.#bury(process),
      (error: unknown) => this.#crashed(process, error),
    )
  }

  /** kill -9; it starts again by itself after a while, or not. */
  kill(): void {
    if (this.#process === undefined) return
    this.say('agent is killed')
    this.#bury(this.#process)
    this.#database.reopen()
    this.#startLater()
  }

  powerCut(): void {
    this.say('THE POWER IS CUT')
    if (this.#process !== undefined) this.#bury(this.#process)
    this.races.clear()
    this.#database.afterPowerCut(this.#random)
    this.history.cut(() => this.disk.powerCut(this.#random))
    this.#cuts.push(this.#world.trace.next())
    this.#startLater()
  }

  /** Starts an operation of the user, now or (`race` > 0) right before a coming call of the agent. */
  perform(operation: UserOperation, race: number): void {
    this.#world.trace.say(`${this.name} user`, () => JSON.stringify(operation))
    this.#step(this.#user.perform(operation), race)
  }

  jumpClock(ms: number): void {
    this.#skew.wallMs += ms
  }

  approve(): void {
    this.say('deletions are approved')
    this.#approvals.push(this.#world.trace.next())
    this.#process?.sync?.approveDeletions()
  }

  /** The folder is emptied, or its disk goes away. `filesInSync`: how many of its files the log has just so. */
  loseRoot(how: (user: User) => void, filesInSync: (held: RootLoss['held']) => number): void {
    const held = new Map([...this.history.tree()].map(([path, inode]) => [path, idOf(inode)]))
    this.#rootLosses.push({ sequence: this.#world.trace.next(), held, filesInSync: filesInSync(held) })
    this.asUser(() => how(this.#user))
  }

  /** The folder's own disk is back, with all that was on it. */
  returnRoot(): void {
    if (this.disk.unmounted) this.#rootReturns.push(this.#world.trace.next())
    this.disk.remountRoot()
  }

  /** The path in the folder that a `Where` of a schedule means. */
  pathOf(where: Parameters<User['existing']>[0]): string | undefined {
    return this.#user.existing(where)
  }

  /** Runs something that the user does to the disk; a call that fails ends it. */
  asUser(run: () => void): void {
    try {
      this.history.as('user', run)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#world.trace.say(`${this.name} user`, () => `failed: ${error.message}`)
    }
  }

  /** No fault is left, and the agent runs. */
  heal(): void {
    this.faults.end()
    this.disk.space = Number.POSITIVE_INFINITY
    this.disk.unmountAll()
    this.returnRoot()
    this.#process?.watch.overflow()
    this.start()
  }

  /** A person answers what the agent asks. */
  attend(): void {
    this.start()
    const status = this.#process?.sync?.status()
    if (status !== undefined && (status.held.length > 0 || this.#rootLosses.length > 0) && !status.inSync) this.approve()
  }

  evidence(): DeviceEvidence {
    const { traits, history } = this
    const tickNs = TICKS[traits.tick].storedTickNs
    return {
      name: this.name,
      traits,
      history,
      key: this.disk.key,
      tickNs,
      approvals: this.#approvals,
      rootLosses: this.#rootLosses,
      rootReturns: this.#rootReturns,
      cuts: this.#cuts,
    }
  }

  #dependencies(process: AgentProcess): FolderSyncDeps {
    const { scheduler, trace, folder, gatewayKey } = this.#world
    const random = this.#random.fork()
    return {
      disk: inlineDisk(agentView(this.disk, this.#guard(process))),
      watch: process.watch,
      transport: process.client,
      database: this.#database.live,
      clock: scheduler.clock(this.#skew, () => process.alive),
      random: () => random.next(),
      signer: this.signer,
      agentName: this.name,
      agentKey: this.signer.key,
      folder,
      gatewayKey,
      boot: String(this.#cuts.length),
      settings: { scanEverySeconds: 60, maxFileSize: 1024 ** 3 },
      report: (event) => trace.say(`${this.name} says`, () => JSON.stringify(event)),
    }
  }

  #startLater(): void {
    if (this.#random.chance(0.7)) this.#world.scheduler.after(RESTART_MS * this.#random.next(), () => this.start())
  }

  #ended(process: AgentProcess, how: string): void {
    if (this.#process !== process) return
    this.say(`agent ends by itself: ${how}`)
    this.#bury(process)
    this.#database.reopen()
  }

  /** A throw is a bug, unless it is the end of a process that was killed. */
  #crashed(process: AgentProcess, error: unknown): void {
    if (!process.alive || error instanceof CrashSignal || error instanceof Livelock) return
    this.#world.trace.violated('model', `${this.name}: the agent threw ${error instanceof Error ? error.stack : String(error)}`)
    this.#ended(process, 'a bug')
  }

  #bury(process: AgentProcess): void {
    process.end()
    this.disk.closeAll(process)
    if (this.#process === process) this.#process = undefined
  }

  #step(steps: Steps, race: number): void {
    const run = (): void => this.asUser(() => this.#next(steps))
    if (race === 0 || this.#process === undefined) run()
    else this.races.add(race, run)
  }

  #next(steps: Steps): void {
    const next = steps.next()
    if (next.done === true) return
    const race = this.#random.chance(0.4) ? 1 + this.#random.int(12) : 0
    this.#world.scheduler.after(next.value, () => this.#step(steps, race), true)
  }

  #guard(process: AgentProcess): Guard {
    return {
      before: (call, paths, sealed) => {
        process.checkAlive()
        this.#world.scheduler.turn()
        this.#world.scheduler.spend(CALL_COST_MS)
        if (!sealed) this.races.count()
        process.checkAlive()
        this.faults.check(call, paths)
      },
      during: (run) => {
        process.checkAlive()
        this.disk.owner = process
        try {
          return this.history.as('agent', run)
        } finally {
          this.disk.owner = undefined
        }
      },
    }
  }
}

export const signInRequest = (signer: Signer, nonce: string): JsonObject =>
  encodeRequest({ tag: 'SignIn', key: signer.key, nonce, signature: signer.sign(signInText(nonce, signer.key)) }, 0)
