import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuNote, type Bench, type Workload } from '../support/bench.ts'
import { makeFiles, warm } from '../support/files.ts'
import { median, quantile, type Measure } from '../support/measure.ts'
import type { Stack } from '../support/stack.ts'

const SAMPLES = 200
const PAUSE_MS = 300
const FILE_SIZE = 1024

const holds = (file: string, content: Buffer): boolean => {
  try {
    return readFileSync(file).equals(content)
  } catch {
    return false
  }
}

/** One new file: from just before it is written on A until B holds it whole; milliseconds. */
const sample = async (stack: Stack, name: string): Promise<number> => {
  const content = randomBytes(FILE_SIZE)
  const to = join(stack.b.folder, name)
  const start = performance.now()
  const fd = openSync(join(stack.a.folder, name), 'w')
  writeSync(fd, content)
  closeSync(fd)
  while (!holds(to, content)) {
    if (performance.now() - start > 30_000) throw new Error(`${name} never came to ${stack.b.folder}`)
    await pause(1)
  }
  return performance.now() - start
}

/** Two agents in sync, with a thousand files there already. */
const inSync = async (bench: Bench, directory: string): Promise<Stack> => {
  const stack = await bench.stack(directory)
  const present = makeFiles(stack.a.folder, 1000, FILE_SIZE)
  stack.start()
  await stack.untilSame({ present })
  await stack.inSync()
  await warm(0.3)
  await pause(3000)
  return stack
}

const latencies = async (bench: Bench, directory: string): Promise<number[]> => {
  await using stack = await inSync(bench, directory)
  const all: number[] = []
  await sample(stack, 'probe')
  for (let at = 0; at < SAMPLES; at += 1) {
    await pause(Math.random() * PAUSE_MS)
    all.push(await sample(stack, `new-${at}.bin`))
  }
  return all
}

export const latency: Workload = {
  name: 'latency',
  about: 'one new file of 1 KiB, written on A until whole on B',
  run: async (bench) => {
    const directory = bench.fresh()
    const all = await latencies(bench, directory)
    bench.trash.take(directory)
    bench.say(`  ${JSON.stringify([0, 0.5, 0.95, 1].map((q) => quantile(all, q)))}`)
    const note = `${all.length} samples, ${quantile(all, 0).toFixed(1)} to ${quantile(all, 1).toFixed(1)} ms`
    return [
      { name: `${latency.about}: p50`, unit: 'ms', values: [median(all)], bar: { atMost: 8 }, note },
      { name: `${latency.about}: p95`, unit: 'ms', values: [quantile(all, 0.95)], bar: { atMost: 20 } },
    ]
  },
}

const FILES = 1000

const writeBurst = (root: string, run: number): string[] => {
  mkdirSync(join(root, `burst-${run}`))
  return Array.from({ length: FILES }, (_, i) => {
    const path = `burst-${run}/f${i}.bin`
    writeFileSync(join(root, path), randomBytes(FILE_SIZE))
    return path
  })
}

export const burst: Workload = {
  name: 'burst',
  about: 'a burst of 1,000 new files of 1 KiB',
  run: async (bench): Promise<readonly Measure[]> => {
    const directory = bench.fresh()
    await using stack = await inSync(bench, directory)
    const [values, cpus]: [number[], number[][]] = [[], []]
    for (let run = 0; run < bench.runs; run += 1) {
      await pause(2000)
      const before = stack.cpu()
      const start = performance.now()
      const paths = writeBurst(stack.a.folder, run)
      const end = await stack.untilSame({ present: paths.map((path) => ({ path, size: FILE_SIZE })) })
      values.push((end - start) / 1000)
      cpus.push(stack.cpu().map((cpu, i) => cpu - (before[i] ?? 0)))
      bench.say(`  burst, run ${run + 1}: ${values.at(-1) ?? 0} s`)
    }
    await stack[Symbol.asyncDispose]()
    bench.trash.take(directory)
    return [{ name: burst.about, unit: 's', values, bar: { atMost: 0.5 }, note: cpuNote(cpus) }]
  },
}
