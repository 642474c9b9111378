import { closeSync, copyFileSync, createReadStream, createWriteStream, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bench, Workload } from '../support/bench.ts'
import { makeFile, makeFiles, MIB, must, warm, type Wanted } from '../support/files.ts'
import type { Measure } from '../support/measure.ts'
import { wireSince, type Stack } from '../support/stack.ts'

const SIZE = 256 * MIB
/** Three chunks of the largest size, and 64 KiB. */
const WIRE_KIB = 3 * 4096 + 64
const SECONDS = 2
const RENAME_SECONDS = 0.5
/** For what trails behind: receipts, syncs, witnesses. */
const SETTLE_MS = 500

interface Changed {
  readonly seconds: number
  readonly wire: ReturnType<ReturnType<typeof wireSince>>
}

/** From just before a change on A until it is on B. */
const change = async (stack: Stack, wanted: Wanted, act: () => void): Promise<Changed> => {
  await stack.inSync()
  await must('sync', [])
  await warm(0.7)
  const wire = wireSince(stack)
  const start = performance.now()
  act()
  const end = await stack.untilSame(wanted, 120)
  await pause(SETTLE_MS)
  return { seconds: (end - start) / 1000, wire: wire() }
}

const byteAt = (file: string, offset: number): number => {
  const fd = openSync(file, 'r')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, offset)
  closeSync(fd)
  return byte.readUInt8()
}

const overwrite = async (stack: Stack, run: number): Promise<Changed> => {
  const offset = SIZE / 2 + run * 7 * MIB + 12_345
  const [from, to] = [join(stack.a.folder, 'big.bin'), join(stack.b.folder, 'big.bin')]
  const byte = byteAt(from, offset) ^ 0xff
  return change(stack, { present: [{ path: 'big.bin', size: statSync(from).size }], check: () => byteAt(to, offset) === byte }, () => {
    const fd = openSync(from, 'r+')
    writeSync(fd, Buffer.of(byte), 0, 1, offset)
    closeSync(fd)
  })
}

/** As editors do: the new content is written beside the old one, and renamed over it. */
const insert = async (stack: Stack, directory: string): Promise<Changed> => {
  const from = join(stack.a.folder, 'big.bin')
  const made = join(directory, 'inserted')
  const fd = openSync(made, 'w')
  writeSync(fd, '!')
  closeSync(fd)
  await pipeline(createReadStream(from, { highWaterMark: MIB }), createWriteStream(made, { flags: 'a' }))
  return change(stack, { present: [{ path: 'big.bin', size: statSync(made).size }] }, () => renameSync(made, from))
}

const measures = (name: string, runs: readonly Changed[], seconds: number, wireKib: number): Measure[] => {
  const sides = { aUp: 'A sends', aDown: 'A receives', bUp: 'B sends', bDown: 'B receives' } as const
  const worst = runs.map(({ wire }) => Math.max(...Object.values(wire)))
  const parts = Object.entries(sides).map(([side, words]) => {
    // The keys are those of `sides`.
    const key = side as keyof typeof sides
    return `${words} ${Math.round(runs.reduce((sum, { wire }) => Math.max(sum, wire[key]), 0))}`
  })
  return [
    { name, unit: 's', values: runs.map((run) => run.seconds), bar: { atMost: seconds } },
    {
      name: `${name}: most on one wire, one way`,
      unit: 'KiB',
      values: worst,
      bar: { atMost: wireKib },
      note: `KiB at most: ${parts.join(', ')}`,
    },
  ]
}

const withFile = async (
  bench: Bench,
  use: (stack: Stack, directory: string) => Promise<readonly Measure[]>,
): Promise<readonly Measure[]> => {
  const directory = bench.fresh()
  await using stack = await bench.stack(directory, true)
  makeFile(join(directory, 'big.bin'), SIZE)
  copyFileSync(join(directory, 'big.bin'), join(stack.a.folder, 'big.bin'))
  stack.start()
  await stack.untilSame({ present: [{ path: 'big.bin', size: SIZE }] })
  const results = await use(stack, directory)
  await stack[Symbol.asyncDispose]()
  bench.trash.take(directory)
  return results
}

const repeat = async (bench: Bench, name: string, once: (run: number) => Promise<Changed>): Promise<Changed[]> => {
  const results: Changed[] = []
  for (let run = 0; run < bench.runs; run += 1) {
    const result = await once(run)
    bench.say(`  ${name}, run ${run + 1}: ${JSON.stringify(result)}`)
    results.push(result)
  }
  return results
}

export const delta: Workload = {
  name: 'delta',
  about: '1 byte overwritten in, or inserted at the front of, a file of 256 MiB',
  run: (bench) =>
    withFile(bench, async (stack, directory) => {
      const overwritten = await repeat(bench, 'overwrite', (run) => overwrite(stack, run))
      const inserted = await repeat(bench, 'insert', () => insert(stack, directory))
      return [
        ...measures('1 byte overwritten in 256 MiB', overwritten, SECONDS, WIRE_KIB),
        ...measures('1 byte inserted at the front of 256 MiB', inserted, SECONDS, WIRE_KIB),
      ]
    }),
}

const renamed = async (stack: Stack, from: string, to: string, size: number): Promise<Changed> =>
  change(stack, { present: [{ path: to, size }], absent: [from] }, () => renameSync(join(stack.a.folder, from), join(stack.a.folder, to)))

const FILES = 1000
const FILE_SIZE = 10 * 1024
/** Far below the 10,000 KiB that the files hold: names, versions, evidence. */
const FOLDER_WIRE_KIB = 2000

const renamedFolder = async (stack: Stack, names: readonly string[], run: number): Promise<Changed> => {
  const [from, to] = [`folder-${run}`, `folder-${run + 1}`]
  const wanted = { present: names.map((name) => ({ path: `${to}/${name}`, size: FILE_SIZE })), absent: [from] }
  return change(stack, wanted, () => renameSync(join(stack.a.folder, from), join(stack.a.folder, to)))
}

export const rename: Workload = {
  name: 'rename',
  about: 'rename of a file of 256 MiB, and of a folder of 1,000 files',
  run: (bench) =>
    withFile(bench, async (stack) => {
      const file = await repeat(bench, 'rename a file', (run) =>
        renamed(stack, run === 0 ? 'big.bin' : `big-${run}.bin`, `big-${run + 1}.bin`, SIZE),
      )
      const files = makeFiles(join(stack.a.folder, 'folder-0'), FILES, FILE_SIZE).map(({ path }) => path)
      await stack.untilSame({ present: files.map((path) => ({ path: `folder-0/${path}`, size: FILE_SIZE })) })
      const folder = await repeat(bench, 'rename a folder', (run) => renamedFolder(stack, files, run))
      return [
        ...measures('rename of a file of 256 MiB', file, RENAME_SECONDS, 64),
        ...measures('rename of a folder of 1,000 files', folder, RENAME_SECONDS, FOLDER_WIRE_KIB),
      ]
    }),
}
