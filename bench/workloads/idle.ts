import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Workload } from '../support/bench.ts'
import { makeFiles, warm } from '../support/files.ts'
import { cpuOf, memoryOf } from '../support/machine.ts'
import type { Measure } from '../support/measure.ts'
import type { Device, Stack } from '../support/stack.ts'

const FILES = 100_000
const FILE_SIZE = 100
const REST_MS = 10_000
const IDLE_MS = 30_000

interface Idle {
  readonly mib: number
  readonly percent: number
}

/** What agents use while nothing happens. */
const idle = async (devices: readonly Device[]): Promise<Idle[]> => {
  await pause(REST_MS)
  const before = devices.map(({ pid }) => cpuOf(pid))
  const start = performance.now()
  await pause(IDLE_MS)
  const seconds = (performance.now() - start) / 1000
  return devices.map(({ pid }, i) => ({ mib: memoryOf(pid).now, percent: (100 * (cpuOf(pid) - (before[i] ?? 0))) / seconds }))
}

/** From the start of the process until it says that all is in sync. */
const warmStart = async (device: Device): Promise<number> => {
  await device.stop()
  await warm(0.5)
  const start = performance.now()
  device.start()
  return ((await device.inSync()) - start) / 1000
}

const measureAll = async (bench: Bench, stack: Stack): Promise<readonly Measure[]> => {
  const present = makeFiles(stack.a.folder, FILES, FILE_SIZE)
  const start = performance.now()
  stack.start()
  const end = await stack.untilSame({ present }, 1200)
  await stack.inSync()
  bench.say(`  first sync of ${FILES} files: ${(end - start) / 1000} s`)
  const peaks = [stack.a, stack.b].map(({ pid }) => memoryOf(pid).peak)
  const afterFirst = await idle([stack.a, stack.b])
  bench.say(`  idle after it: ${JSON.stringify(afterFirst)}`)
  const starts: number[] = []
  for (let run = 0; run < bench.runs; run += 1) {
    starts.push(await warmStart(stack.a), await warmStart(stack.b))
    bench.say(`  warm starts of A and B: ${starts.slice(-2).join(', ')} s`)
  }
  const afterRestart = await idle([stack.a, stack.b])
  bench.say(`  idle after a restart: ${JSON.stringify(afterRestart)}`)
  const note = (when: string) => `A and B, ${when}, over ${IDLE_MS / 1000} s`
  return [
    {
      name: '100,000 files of 100 bytes: first sync',
      unit: 's',
      values: [(end - start) / 1000],
      note: `peak memory of A ${Math.round(peaks[0] ?? 0)} MiB, of B ${Math.round(peaks[1] ?? 0)} MiB`,
    },
    {
      name: '100,000 files idle: memory after the first sync',
      unit: 'MiB',
      values: afterFirst.map(({ mib }) => mib),
      bar: { atMost: 238 },
      note: '250 MB',
    },
    {
      name: '100,000 files idle: memory after a restart',
      unit: 'MiB',
      values: afterRestart.map(({ mib }) => mib),
      bar: { atMost: 238 },
      note: '250 MB',
    },
    {
      name: '100,000 files idle: CPU after the first sync',
      unit: '%',
      values: afterFirst.map(({ percent }) => percent),
      bar: { atMost: 0.5 },
      note: note('10 s after it'),
    },
    {
      name: '100,000 files idle: CPU after a restart',
      unit: '%',
      values: afterRestart.map(({ percent }) => percent),
      bar: { atMost: 0.5 },
      note: note('10 s after it'),
    },
    { name: '100,000 files: warm start until in sync', unit: 's', values: starts, bar: { atMost: 3 } },
  ]
}

export const idleFiles: Workload = {
  name: 'idle',
  about: '100,000 files idle: memory, CPU, warm start',
  run: async (bench) => {
    const directory = bench.fresh()
    await using stack = await bench.stack(directory)
    const measures = await measureAll(bench, stack)
    await stack[Symbol.asyncDispose]()
    bench.trash.take(directory)
    return measures
  },
}
