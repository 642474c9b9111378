import { spawn } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export const MIB = 1024 * 1024

/** Bytes that no compression shortens, the same for the same seed. */
const noise = (seed: number): ((size: number) => Buffer) => {
  const key = Buffer.alloc(16, 1)
  const counter = Buffer.alloc(16)
  counter.writeUInt32BE(seed >>> 0)
  const stream = createCipheriv('aes-128-ctr', key, counter)
  return (size) => stream.update(Buffer.alloc(size))
}

export interface Expected {
  readonly path: string
  readonly size: number
}

/** Small files, a hundred in each folder. */
export const makeFiles = (root: string, count: number, size: number): Expected[] => {
  const next = noise(count + size)
  return Array.from({ length: count }, (_, i) => {
    const directory = `d${String(Math.floor(i / 100)).padStart(4, '0')}`
    if (i % 100 === 0) mkdirSync(join(root, directory), { recursive: true })
    const path = `${directory}/f${String(i).padStart(6, '0')}.bin`
    writeFileSync(join(root, path), next(size))
    return { path, size }
  })
}

export const makeFile = (file: string, size: number): void => {
  const next = noise(size)
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'w')
  for (let done = 0; done < size; done += MIB) writeSync(fd, next(Math.min(MIB, size - done)))
  closeSync(fd)
}

/** Runs a program to its end; its exit code. */
export const exec = (command: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })

export const must = async (command: string, args: readonly string[]): Promise<void> => {
  const code = await exec(command, args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`)
}

/** What `cp -r` of a tree takes, in seconds: the floor. */
export const copyTime = async (from: string, to: string): Promise<number> => {
  const start = performance.now()
  await must('cp', ['-r', from, to])
  return (performance.now() - start) / 1000
}

const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size

const isSame = async (a: string, b: string): Promise<boolean> =>
  (await exec('diff', ['-rq', '--no-dereference', '-x', '.eventsync', a, b])) === 0

const POLL_MS = 2

export interface Wanted {
  readonly present: readonly Expected[]
  readonly absent?: readonly string[]
  /** Further conditions, asked when all is present. */
  readonly check?: () => boolean
}

/** A folder that is to become as another one; `alive` throws where nobody works on that any more. */
export interface Pair {
  readonly a: string
  readonly b: string
  readonly alive: () => void
}

/**
 * Waits until the folder B is as wanted, and then equals A; returns the moment just before the comparison that succeeded. Files are only
 * stat-ed meanwhile, each until it is there.
 */
export const untilSame = async ({ a, b, alive }: Pair, { present, absent = [], check }: Wanted, seconds = 600): Promise<number> => {
  const deadline = performance.now() + seconds * 1000
  for (let next = 0; ;) {
    while (next < present.length && sizeOf(join(b, present[next]?.path ?? '')) === present[next]?.size) next += 1
    alive()
    const all = next === present.length && absent.every((path) => sizeOf(join(b, path)) === undefined) && (check?.() ?? true)
    const now = performance.now()
    if (all && (await isSame(a, b))) return now
    if (now > deadline)
      throw new Error(`${b} did not become as ${a} within ${seconds} s: waited for ${present[next]?.path ?? 'equal contents'}`)
    await pause(all ? 20 : POLL_MS)
  }
}

/** Regular files below a directory. */
export const listFiles = (root: string, directory = ''): Expected[] =>
  readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry): Expected[] => {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) return path === '.eventsync' ? [] : listFiles(root, path)
    return entry.isFile() ? [{ path, size: lstatSync(join(root, path)).size }] : []
  })

/**
 * Where trees go that are not needed any more. Nothing is removed between timed runs: ext4 looks past every inode deleted lately, one by one,
 * which makes the next creations many times slower. Only large files give back their space: one inode each does no harm.
 */
export class Trash {
  readonly #directory: string
  #count = 0

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  take(path: string): void {
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      const file = join(path, name)
      const stat = lstatSync(file)
      if (stat.isFile() && stat.size > 8 * MIB) unlinkSync(file)
    }
    this.#count += 1
    renameSync(path, join(this.#directory, String(this.#count)))
  }
}

/**
 * Touches memory and gives it back: on a virtual machine the first touch of a page that the host has taken back costs many times one that is
 * already there, and would land in whatever is measured next.
 */
export const warm = (gib: number): Promise<void> =>
  must(process.execPath, [
    '-e',
    `const b = Buffer.allocUnsafeSlow(${Math.round(gib * 1024)} * 1048576); for (let i = 0; i < b.length; i += 4096) b[i] = 1`,
  ])
