import { median, type Measure } from '../support/measure.ts'
import type { Workload } from '../support/bench.ts'
import { gatewayProgram } from './gateway.ts'

/** Changes in the log, one message of 256 after the other. */
const [SMALL, LARGE] = [4_096, 102_400]

const numberIn = (text: string, pattern: RegExp): number => {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`not in what bench/gateway.ts says: ${text}`)
  return Number(found)
}

const syncMs = (text: string): number => numberIn(text, /sync of 100 changes: ([\d.]+) ms/)

const peakMiB = (text: string): number => numberIn(text, /replay \d+ events\/s, peak (\d+) MiB/)

export const log: Workload = {
  embeddedOnly: true,
  name: 'log',
  about: 'what Sync costs by the size of the log; replay, and all projections built anew',
  run: async (bench): Promise<readonly Measure[]> => {
    const texts: { readonly small: string; readonly large: string }[] = []
    for (let run = 0; run < bench.runs; run += 1) {
      texts.push({ small: await gatewayProgram([256, SMALL, 16, 1]), large: await gatewayProgram([256, LARGE, 16, 1]) })
      bench.say(`  log, run ${run + 1}: ${texts.at(-1)?.small ?? ''}${texts.at(-1)?.large ?? ''}`)
    }
    const small = texts.map((text) => syncMs(text.small))
    const large = texts.map((text) => syncMs(text.large))
    const smallPeaks = texts.map((text) => peakMiB(text.small))
    return [
      { name: `Sync of the last 100 changes, ${SMALL} in the log`, unit: 'ms', values: small },
      {
        name: `Sync of the last 100 changes, ${LARGE} in the log`,
        unit: 'ms',
        values: large,
        bar: { atMost: 1.5 * median(small) },
        note: 'bar: cost grows with the changes, not with the log; 1.5 times the line above',
      },
      {
        name: 'replay: read, decode, check the chain',
        unit: '/s',
        values: texts.map((text) => numberIn(text.large, /replay (\d+)/)),
        bar: { atLeast: 100_000 },
        note: 'events',
      },
      {
        name: `peak memory of replay, ${LARGE} in the log`,
        unit: 'MiB',
        values: texts.map((text) => peakMiB(text.large)),
        bar: { atMost: 2 * median(smallPeaks) },
        note: `a process of its own; bar: it stays flat; twice that of a log of ${SMALL}`,
      },
      {
        name: 'all projections built anew',
        unit: '/s',
        values: texts.map((text) => numberIn(text.large, /rebuild (\d+)/)),
        bar: { atLeast: 25_000 },
        note: 'events',
      },
    ]
  },
}
