import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const COMPILED = join(ROOT, 'node_modules', '.cache', 'model')

export interface Run {
  readonly code: number | null
  readonly output: string
}

/** The end of an output: what a failed run says of itself stands there. */
const TAIL = 200_000
/** Of what it says on stderr: an error with its stack, or what was begun last. */
const LAST = 4_000
const LONGEST_MS = 3_600_000

/** A model run counts its work and gives up by itself; this is for one that does not even count. */
export interface Limits {
  /** Ends it. */
  readonly signal?: AbortSignal
  /** It is killed after so long. */
  readonly deadlineMs?: number
}

const ended = (limits: Limits): string =>
  `\nkilled: ${limits.signal?.aborted === true ? 'given up' : `no end after ${limits.deadlineMs} ms`}`

/** Runs the model in a Node process of its own, outside vitest's transforms (several times as fast). One that has to be killed has no code, and says what it had begun. */
export const runModel = (args: readonly string[], nodeArgs: readonly string[] = [], limits: Limits = {}): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = spawn('bin/node24', [...nodeArgs, 'test/model/run.ts', '--tell', ...args], {
      cwd: ROOT,
      // As `bin/eventsync` does: loading the modules anew takes longer than most of the short runs.
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kill = (): void => void child.kill('SIGKILL')
    const timer = setTimeout(kill, limits.deadlineMs ?? LONGEST_MS)
    limits.signal?.addEventListener('abort', kill)
    let output = ''
    let begins = ''
    child.stdout.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-TAIL)
    })
    child.stderr.on('data', (data: Buffer) => {
      begins = (begins + data.toString()).slice(-LAST)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      limits.signal?.removeEventListener('abort', kill)
      resolve({ code, output: code === 0 ? output : `${output}\n${begins}${code === null ? ended(limits) : ''}` })
    })
  })
