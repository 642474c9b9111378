import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Trash } from './files.ts'
import type { Backends } from './backend.ts'
import { number } from './report.ts'
import { median, type Measure } from './measure.ts'
import { Stack } from './stack.ts'

/** What the workloads share: a directory, and how often each is to be run. */
export class Bench {
  readonly runs: number
  readonly trash: Trash
  readonly #root: string
  readonly #backends: Backends
  #count = 0

  constructor(root: string, runs: number, backends: Backends) {
    this.#backends = backends
    this.#root = root
    this.runs = runs
    this.trash = new Trash(join(root, 'trash'))
  }

  /** A directory that nobody has used. */
  fresh(): string {
    this.#count += 1
    const directory = join(this.#root, `run-${this.#count}`)
    mkdirSync(directory, { recursive: true })
    return directory
  }

  /** A gateway and two devices in this directory, on the profile that is measured. */
  async stack(directory: string, counted = false): Promise<Stack> {
    return Stack.create(join(directory, 'stack'), await this.#backends.fresh(), counted)
  }

  say(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** Does something as often as asked for, each time in a fresh directory. */
  async repeat<A>(name: string, once: (directory: string, run: number) => Promise<A>): Promise<A[]> {
    const results: A[] = []
    for (let run = 0; run < this.runs; run += 1) {
      const directory = this.fresh()
      const result = await once(directory, run)
      this.say(`  ${name}, run ${run + 1}: ${JSON.stringify(result)}`)
      results.push(result)
      this.trash.take(directory)
    }
    return results
  }
}

export interface Workload {
  readonly name: string
  readonly about: string
  /** It is about the embedded log alone. */
  readonly embeddedOnly?: true
  readonly run: (bench: Bench) => Promise<readonly Measure[]>
}

/** CPU seconds of gateway, A and B, in the median. */
export const cpuNote = (all: readonly (readonly number[])[]): string =>
  `CPU s: ${['gateway', 'A', 'B'].map((who, i) => `${who} ${number(median(all.map((cpu) => cpu[i] ?? 0)))}`).join(', ')}`
