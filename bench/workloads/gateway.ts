import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Bench, Workload } from '../support/bench.ts'
import type { Measure } from '../support/measure.ts'

const PROGRAM = join(import.meta.dirname, '..', 'gateway.ts')

/** What the program says: a process of its own for each run. */
export const gatewayProgram = (args: readonly number[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (some: string) => (text += some))
    child.once('close', (code) => {
      if (code === 0 && text.includes(' 0 messages refused')) resolve(text)
      else reject(new Error(`bench/gateway.ts ended with ${code ?? 'a signal'}: ${text}`))
    })
  })

const rate = async (args: readonly number[]): Promise<number> => Number(/(\d+) changes\/s/.exec(await gatewayProgram(args))?.[1])

const SIZES = [
  { each: 1, total: 20_000, agents: 64, bar: 3_000 },
  { each: 16, total: 60_000, agents: 64, bar: 12_000 },
  { each: 256, total: 100_000, agents: 16, bar: 12_000 },
] as const

export const gateway: Workload = {
  embeddedOnly: true,
  name: 'gateway',
  about: 'durable changes of 1 KiB through the gateway, embedded log',
  run: async (bench: Bench): Promise<readonly Measure[]> => {
    const measures: Measure[] = []
    for (const { each, total, agents, bar } of SIZES) {
      const values: number[] = []
      for (let run = 0; run < bench.runs; run += 1) values.push(await rate([each, total, agents]))
      bench.say(`  gateway, ${each} a message: ${values.join(', ')} /s`)
      measures.push({
        name: `gateway, changes of 1 KiB, ${each} a message`,
        unit: '/s',
        values,
        bar: { atLeast: bar },
        note: `${agents} agents at once`,
      })
    }
    return measures
  },
}
