import { inlineDisk } from '../../src/agent/disk/inline.ts'
import type { FolderSync, FolderSyncDeps } from '../../src/agent/engine/folder-sync.types.ts'
import type { Signer } from '../../src/protocol/signing.ts'
import { AgentDatabase } from './agent-database.ts'
import { agentView, type Guard } from './filesystem/agent-view.ts'
import { CrashSignal, fail, SystemError } from './filesystem/errors.ts'
import { SimDisk } from './filesystem/sim-disk.ts'
import { DiskHistory, type Contents } from './history.ts'
import type { Random } from './random.ts'
import type { DeviceTraits, UserOperation } from './schedule.ts'
import type { Scheduler, Skew } from './scheduler.ts'
import { SimClient, type SimNetwork } from './sim-network.ts'
import { SimWatch } from './sim-watch.ts'
import type { Trace } from './trace.ts'
import { User, type Steps, type Texts } from './user.ts'

const CALL_COST_MS = 0.01
/** A race that no call to the disk comes to is over after so long. */
const RACE_ENDS_MS = 400

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
  readonly startFolderSync: (deps: FolderSyncDeps) => FolderSync | Promise<FolderSync>
  readonly folder: FolderSyncDeps['folder']
  readonly gatewayKey: string
}

/** One life of a device's agent. */
interface Process {
  alive: boolean
  sync: FolderSync | undefined
  readonly client: SimClient
  readonly watch: SimWatch
}

/** Something that is to happen right before a coming call of the agent to the disk. */
interface Race {
  calls: number
  run: (() => void) | undefined
}

/** A device: its disk, its user, and its agent's lives. */
export class Device {
  readonly name: string
  readonly disk: SimDisk
  readonly history: DiskHistory
  readonly user: User
  readonly signer: Signer
  readonly #world: Surroundings
  readonly #random: Random
  readonly #skew: Skew
  readonly #hintLoss: number
  readonly #database: AgentDatabase
  readonly #races = new Set<Race>()
  #process: Process | undefined
  readonly #denied = new Set<string>()
  #readsToError = Number.POSITIVE_INFINITY
  /** Deletions were approved here: when. */
  readonly approvals: number[] = []

  constructor(world: Surroundings, name: string, traits: DeviceTraits, signer: Signer, random: Random, powerMayBeCut: boolean) {
    this.#world = world
    this.name = name
    this.signer = signer
    this.#random = random
    this.#skew = { wallMs: traits.skewMs }
    this.#hintLoss = world.network.traits.hintLoss
    this.#database = new AgentDatabase(powerMayBeCut)
    this.history = new DiskHistory(name, world.contents, world.trace)
    const { folding, reusesInodes, hardLinks, readSize } = traits
    const nowNs = (): bigint => BigInt(Math.floor(world.scheduler.wallMs(this.#skew) * 1000)) * 1000n
    this.disk = new SimDisk({ folding, reusesInodes, hardLinks, readSize, ...TICKS[traits.tick] }, 1n, nowNs, this.history)
    this.history.attach(this.disk)
    this.history.onChange = (path) => this.#process?.watch.changed(path)
    this.user = new User(this.disk, world.texts, name)
  }

  get running(): boolean {
    return this.#process !== undefined
  }

  get sync(): FolderSync | undefined {
    return this.#process?.sync
  }

  /** What the agent says of itself: only ever asked in order to stop waiting early. */
  get saysInSync(): boolean {
    return this.#process?.sync?.status().inSync === true
  }

  start(): void {
    if (this.#process !== undefined) return
    const { scheduler, network, trace, folder, gatewayKey, startFolderSync } = this.#world
    trace.say(this.name, () => 'agent starts')
    const signIn = (nonce: string) => signInMessage(this.signer, nonce)
    const process: Process = {
      alive: true, sync: undefined,
      client: new SimClient(network, this.name, signIn),
      watch: new SimWatch(scheduler, this.#random.fork(), this.#hintLoss),
    }
    this.#process = process
    const random = this.#random.fork()
    const starting = startFolderSync({
      disk: inlineDisk(agentView(this.disk, this.#guard(process))),
      watch: process.watch,
      transport: process.client,
      database: this.#database.live,
      clock: scheduler.clock(this.#skew, () => process.alive),
      random: () => random.next(),
      signer: this.signer, agentName: this.name, agentKey: this.signer.key, folder, gatewayKey,
      settings: { scanEverySeconds: 60, maxFileSize: 1024 ** 3 },
      report: (event) => trace.say(`${this.name} says`, () => JSON.stringify(event)),
    })
    void Promise.resolve(starting).then((sync) => this.#started(process, sync))
  }

  /** A clean end. */
  async stop(): Promise<void> {
    const process = this.#process
    if (process === undefined) return
    this.#world.trace.say(this.name, () => 'agent stops')
    await process.sync?.stop()
    this.#bury(process)
  }

  /** kill -9, between two of its steps. */
  kill(): void {
    if (this.#process === undefined) return
    this.#world.trace.say(this.name, () => 'agent is killed')
    this.#bury(this.#process)
    this.#database.afterKill()
  }

  powerCut(): void {
    this.#world.trace.say(this.name, () => 'THE POWER IS CUT')
    if (this.#process !== undefined) this.#bury(this.#process)
    this.#races.clear()
    this.#database.afterPowerCut(this.#random)
    this.history.cut(() => this.disk.powerCut(this.#random))
  }

  /** The agent dies before the so-manieth of its next calls to the disk. */
  crashIn(calls: number, how: 'kill' | 'powerCut'): void {
    this.#races.add({
      calls,
      run: () => {
        if (how === 'kill') this.kill()
        else this.powerCut()
      },
    })
  }

  /** Starts an operation of the user, now or (`race` > 0) right before a coming call of the agent. */
  perform(operation: UserOperation, race: number): void {
    this.#world.trace.say(`${this.name} user`, () => JSON.stringify(operation))
    this.#step(this.user.perform(operation), race)
  }

  partition(ms: number): void {
    this.#process?.client.partition(ms)
  }

  jumpClock(ms: number): void {
    this.#skew.wallMs += ms
  }

  deny(path: string): void {
    this.#denied.add(path)
  }

  allow(): void {
    this.#denied.clear()
  }

  failRead(calls: number): void {
    this.#readsToError = calls
  }

  loseHints(): void {
    this.#process?.watch.overflow()
  }

  approve(): void {
    this.approvals.push(this.#world.trace.next())
    this.#process?.sync?.approveDeletions()
  }

  /** No fault is left; what is still to happen happens now. */
  heal(): void {
    for (const race of [...this.#races]) this.#runRace(race)
    this.disk.space = Number.POSITIVE_INFINITY
    this.#readsToError = Number.POSITIVE_INFINITY
    this.#denied.clear()
    this.disk.unmountAll()
    this.remount()
    this.start()
  }

  unmount(leaves: 'nothing' | 'emptyDirectory'): void {
    if (this.disk.unmounted) return
    this.disk.unmountRoot(leaves)
    this.loseHints()
  }

  remount(): void {
    if (!this.disk.unmounted) return
    this.disk.remountRoot()
    this.loseHints()
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

  #started(process: Process, sync: FolderSync): void {
    process.sync = sync
    void sync.failed.then((fatal) => {
      if (this.#process !== process) return
      this.#world.trace.say(this.name, () => `agent ends by itself: ${JSON.stringify(fatal)}`)
      this.#bury(process)
      this.#database.afterKill()
    })
  }

  #bury(process: Process): void {
    process.alive = false
    process.client.abandon()
    process.watch.close()
    this.disk.closeAll(process)
    if (this.#process === process) this.#process = undefined
  }

  #step(steps: Steps, race: number): void {
    const run = (): void => this.asUser(() => this.#next(steps))
    if (race === 0 || this.#process === undefined) return run()
    const waiting: Race = { calls: race, run }
    this.#races.add(waiting)
    this.#world.scheduler.after(RACE_ENDS_MS, () => this.#runRace(waiting), true)
  }

  #next(steps: Steps): void {
    const { value: pause, done } = steps.next()
    if (done === true) return
    const race = this.#random.chance(0.4) ? 1 + this.#random.int(12) : 0
    this.#world.scheduler.after(pause ?? 0, () => this.#step(steps, race), true)
  }

  #runRace(race: Race): void {
    if (!this.#races.delete(race)) return
    race.run?.()
  }

  #guard(process: Process): Guard {
    return {
      before: (call, paths, sealed) => {
        this.#checkAlive(process)
        this.#world.scheduler.spend(CALL_COST_MS)
        this.#database.note()
        if (!sealed) this.#raceOn()
        this.#checkAlive(process)
        this.#fault(call, paths)
      },
      during: (run) => {
        this.#checkAlive(process)
        this.disk.owner = process
        try {
          return this.history.as('agent', run)
        } finally {
          this.disk.owner = undefined
        }
      },
    }
  }

  #checkAlive(process: Process): void {
    if (!process.alive) throw new CrashSignal()
  }

  #raceOn(): void {
    for (const race of [...this.#races]) {
      race.calls--
      if (race.calls <= 0) this.#runRace(race)
    }
  }

  #fault(call: string, paths: readonly string[]): void {
    const path = paths[0] ?? ''
    if (--this.#readsToError <= 0) {
      this.#readsToError = Number.POSITIVE_INFINITY
      this.#world.trace.say(`${this.name} disk`, () => `EIO: ${call} ${path}`)
      fail('EIO', call, path)
    }
    for (const denied of this.#denied) {
      const opens = call !== 'lstat' && paths.includes(denied)
      if (opens || paths.some((each) => each.startsWith(`${denied}/`))) fail('EACCES', call, path)
    }
  }
}

const signInMessage = (signer: Signer, nonce: string): { [field: string]: string | { [field: string]: string } } => {
  void signer
  void nonce
  return {}
}
