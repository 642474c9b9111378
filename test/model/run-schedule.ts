import { judge } from './oracle/oracle.ts'
import type { Schedule } from './schedule.ts'
import { Livelock } from './scheduler.ts'
import type { Violation } from './trace.ts'
import { World } from './world.ts'

export interface Verdict {
  readonly violations: readonly Violation[]
  /** Readable, in order; empty unless asked for. */
  readonly trace: string
  readonly events: number
  /** How much work it was: events, and calls of the simulated processes. */
  readonly turns: number
  /** How long it took in the world's own time, in milliseconds. */
  readonly simulatedMs: number
}

/** So long it may take until all is in sync again: much longer than any pause between attempts. */
const QUIET_MS = 600_000
const QUIET_STEP_MS = 1_000
/** Longer than graves are kept and than it takes until the next full scan: whatever is still to happen happens in it. */
const LAST_LOOK_MS = 75_000

/** Runs until nothing differs and nothing is under way, and is still so after a while. */
const comeToRest = async (world: World): Promise<void> => {
  world.heal()
  const end = world.scheduler.now + QUIET_MS
  for (let step = QUIET_STEP_MS; world.scheduler.now < end; step *= 1.3) {
    await world.scheduler.runFor(step)
    if (world.unrest().length > 0) {
      world.attend()
      continue
    }
    const length = world.log.length
    await world.scheduler.runFor(LAST_LOOK_MS)
    if (world.unrest().length > 0 || world.log.length !== length) continue
    for (const text of world.worried()) world.trace.violated('status', `${text}, and all is in sync`)
    return
  }
  for (const text of world.standing()) world.trace.say('world', () => text)
  world.trace.violated('I2', `it does not come to rest: ${world.unrest().join('; ') || 'the log grows and grows'}`)
}

const runAll = async (world: World, schedule: Schedule): Promise<void> => {
  await world.start()
  for (const step of schedule.steps) {
    await world.scheduler.runFor(step.gap)
    world.run(step)
  }
  await comeToRest(world)
  await judge(await world.evidence())
  await world.verify()
}

/** Runs one schedule, and judges it. The same schedule and seed give the same run. */
export const runSchedule = async (schedule: Schedule, seed: number, traced = false): Promise<Verdict> => {
  const world = new World(schedule, seed, traced)
  try {
    await runAll(world, schedule)
  } catch (error) {
    if (!(error instanceof Livelock)) throw error
    world.trace.violated('livelock', error.message)
  }
  const { trace, scheduler, log } = world
  return { violations: trace.violations, trace: trace.text(), events: log.length, turns: scheduler.turns, simulatedMs: scheduler.now }
}
