import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { until, within } from './wait.ts'

const EVENTSYNC = join(import.meta.dirname, '..', '..', 'bin', 'eventsync')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Environment = Readonly<Record<string, string | undefined>>

const start = (args: readonly string[], env: Environment): ChildProcess =>
  spawn(EVENTSYNC, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, EVENTSYNC_PASSWORD: undefined, EVENTSYNC_STATE: undefined, ...env },
  })

/** Runs a command to its end. */
export const run = async (args: readonly string[], env: Environment = {}, seconds = 25): Promise<Finished> => {
  const child = start(args, env)
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  try {
    return { code: await within(`eventsync ${args.join(' ')}`, ended, seconds), stdout, stderr }
  } finally {
    child.kill('SIGKILL')
  }
}

/** A process that goes on until it is stopped. */
export class Daemon implements AsyncDisposable {
  readonly lines: string[] = []
  readonly ended: Promise<number | string>
  readonly pid: number
  readonly #child: ChildProcess
  #over = false

  constructor(args: readonly string[], env: Environment = {}) {
    this.#child = start(args, env)
    this.pid = this.#child.pid ?? -1
    for (const stream of [this.#child.stdout, this.#child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.lines.push(line))
    this.ended = new Promise((resolve) =>
      this.#child.once('close', (code, signal) => {
        this.#over = true
        resolve(signal ?? code ?? -1)
      }),
    )
  }

  get running(): boolean {
    return !this.#over
  }

  /** Waits for a line of its output. */
  said(pattern: RegExp, seconds = 15): Promise<string> {
    return until(
      `${String(pattern)} among:\n${this.lines.slice(-20).join('\n')}\n`,
      () => this.lines.find((line) => pattern.test(line)),
      seconds,
    )
  }

  /** Asks it to stop, and returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    this.#child.kill(signal)
    return within(`the end of process ${this.pid} after ${signal}; it said:\n${this.lines.slice(-20).join('\n')}\n`, this.ended)
  }

  /** As a crash: nothing is drained. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill()
  }
}
