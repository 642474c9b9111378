import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cpuNote, type Bench, type Workload } from '../support/bench.ts'
import { copyTime, listFiles, makeFile, makeFiles, MIB, must, warm } from '../support/files.ts'
import type { Measure } from '../support/measure.ts'

/** Both agents are started on A with the data and B empty: from then until B is identical. */
const firstSync = async (bench: Bench, source: string, gib: number, directory: string) => {
  const floorAt = join(directory, 'floor')
  await using stack = await bench.stack(directory)
  await must('cp', ['-a', `${source}/.`, stack.a.folder])
  const present = listFiles(stack.a.folder)
  await must('sync', [])
  await warm(gib)
  const floor = await copyTime(source, floorAt)
  await must('sync', [])
  await warm(gib)
  const start = performance.now()
  stack.start()
  const end = await stack.untilSame({ present })
  const cpu = stack.cpu()
  await stack.inSync()
  return { seconds: (end - start) / 1000, settled: (performance.now() - start) / 1000, floor, cpu }
}

const measureOf = async (
  bench: Bench,
  name: string,
  make: (root: string) => void,
  { gib, timesFloor }: { readonly gib: number; readonly timesFloor: number },
): Promise<readonly Measure[]> => {
  const source = join(bench.fresh(), 'source')
  mkdirSync(source)
  make(source)
  const runs = await bench.repeat(name, (directory) => firstSync(bench, source, gib, directory))
  bench.trash.take(source)
  return [
    {
      name,
      unit: 's',
      values: runs.map(({ seconds }) => seconds),
      floor: runs.map(({ floor }) => floor),
      bar: { timesFloor },
      note: cpuNote(runs.map(({ cpu }) => cpu)),
    },
  ]
}

export const smallFiles: Workload = {
  name: 'first-sync-small',
  about: 'first sync of 10,000 files of 10 KiB',
  run: (bench) => measureOf(bench, smallFiles.about, (root) => void makeFiles(root, 10_000, 10 * 1024), { gib: 1, timesFloor: 6 }),
}

export const largeFile: Workload = {
  name: 'first-sync-large',
  about: 'first sync of one file of 1 GiB',
  run: (bench) => measureOf(bench, largeFile.about, (root) => makeFile(join(root, 'big.bin'), 1024 * MIB), { gib: 4, timesFloor: 12 }),
}
