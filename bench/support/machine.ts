import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { median } from './measure.ts'

export interface Machine {
  readonly cores: number
  readonly kernel: string
  readonly node: string
  readonly fsyncMs: number
  readonly load: number
}

/** What an fsync of 4 KiB takes in this directory. */
const fsyncMs = (directory: string): number => {
  const fd = openSync(join(directory, 'fsync'), 'w')
  const page = Buffer.alloc(4096, 1)
  const times = Array.from({ length: 50 }, () => {
    const start = performance.now()
    writeSync(fd, page, 0, page.length, 0)
    fsyncSync(fd)
    return performance.now() - start
  })
  closeSync(fd)
  return median(times)
}

export const describeMachine = (directory: string): Machine => ({
  cores: cpus().length,
  kernel: release(),
  node: process.version,
  fsyncMs: fsyncMs(directory),
  load: loadavg()[0] ?? Number.NaN,
})

/** Clock ticks of /proc: Linux has 100 a second on every platform that Node runs on. */
const TICKS = 100

/** CPU seconds of a process so far, its ended threads included. */
export const cpuOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Resident memory of a process: now, and at most so far; MiB. */
export const memoryOf = (pid: number): { readonly now: number; readonly peak: number } => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}
