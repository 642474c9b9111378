import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Run {
  readonly code: number | null
  readonly output: string
}

/** The end of an output: what a failed run says of itself stands there. */
const TAIL = 200_000

/** Runs the model in a Node process of its own, outside vitest's transforms (several times as fast); `signal` ends it. */
export const runModel = (args: readonly string[], nodeArgs: readonly string[] = [], signal?: AbortSignal): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = spawn('bin/node24', [...nodeArgs, 'test/model/run.ts', ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    })
    let output = ''
    const take = (data: Buffer): void => {
      output = (output + data.toString()).slice(-TAIL)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
