import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Workload } from '../support/bench.ts'
import { makeBigLog } from '../support/big-log.ts'
import { foldState } from '../support/fold-state.ts'
import { median, type Measure } from '../support/measure.ts'

const EVENTSYNC = join(import.meta.dirname, '..', '..', 'bin', 'eventsync')
const { EVENTSYNC_BENCH_EVENTS: events = '1000000' } = process.env

interface Asked {
  readonly seconds: number
  /** Until something showed. */
  readonly first: number
  readonly lines: number
  readonly out: string
  /** Its memory at its highest. */
  readonly peakMiB: number
}

const LOOK_EVERY_MS = 100

const peakOf = (pid: number | undefined): number => {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)
  } catch {
    return 0
  }
}

/** A command as a process of its own, its start included. */
const ask = (data: string, args: readonly string[]): Promise<Asked> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(EVENTSYNC, ['audit', ...args, '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] })
    let [first, lines, out, peakMiB] = [0, 0, '', 0]
    const look = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), LOOK_EVERY_MS)
    child.stdout.on('data', (some: Buffer) => {
      first ||= (performance.now() - start) / 1000
      for (const byte of some) if (byte === 0x0a) lines += 1
      if (out.length < 1000) out += some.toString()
    })
    child.once('close', (code) => {
      clearInterval(look)
      if (code === 0) resolve({ seconds: (performance.now() - start) / 1000, first, lines, out, peakMiB })
      else reject(new Error(`eventsync audit ${args.join(' ')} ended with ${code ?? 'a signal'}`))
    })
  })

interface Question {
  readonly name: string
  readonly args: readonly string[]
  readonly atMost: number
}

const COUNT = Number(events)

/** A file that moved: one of some thousand, by the pattern of the generator. */
const movedFile = async (data: string): Promise<string> => {
  const { out } = await ask(data, [
    'log',
    '--action',
    'moved',
    '--json',
    '--since',
    String(Math.floor(COUNT / 2)),
    '--until',
    String(Math.floor(COUNT / 2) + 100),
  ])
  const [line] = out.split('\n')
  // One event of the command's own form.
  return (JSON.parse(line ?? '') as { readonly path: string }).path
}

const questions = async (data: string): Promise<readonly Question[]> => {
  const [middle, path] = [String(Math.floor(COUNT / 2)), await movedFile(data)]
  return [
    { name: 'the help, for comparison', args: ['--help'], atMost: 1 },
    { name: 'log of one path', args: ['log', '--path', `/${path}`], atMost: 1 },
    { name: 'log by a pattern (*7777.txt)', args: ['log', '--path', '*7777.txt'], atMost: 1 },
    {
      name: 'log of the deletions of a device in a day',
      args: ['log', '--agent', 'phone', '--action', 'deleted', '--since', '2025-03-01', '--until', '2025-03-02'],
      atMost: 1,
    },
    { name: 'log by an action that there is none of', args: ['log', '--action', 'held'], atMost: 1 },
    { name: 'history of a file', args: ['history', path], atMost: 1 },
    { name: 'tree in the middle', args: ['tree', '--at', middle], atMost: 2 },
    { name: 'tree now', args: ['tree'], atMost: 2 },
    { name: 'diff over the last thousand', args: ['diff', '--from', String(COUNT - 1000)], atMost: 2 },
    { name: 'diff from the middle to now', args: ['diff', '--from', middle], atMost: 4 },
  ]
}

/** Most of the second is Ed25519: 9,300 checks a second and core were measured when the bars were set. */
const VERIFIED = [
  { perMessage: 16, atLeast: 50_000 },
  { perMessage: 1, atLeast: 12_000 },
] as const
/** 300 MB. */
const MAX_VERIFY_MIB = 286

const verifying = async (bench: Bench, data: string, perMessage: number, atLeast: number): Promise<readonly Measure[]> => {
  const asked: Asked[] = []
  for (let run = 0; run < bench.runs; run += 1) asked.push(await ask(data, ['verify']))
  bench.say(
    `  verify, ${perMessage} a message: ${asked.map(({ seconds, peakMiB }) => `${seconds.toFixed(1)} s, ${peakMiB} MiB`).join('; ')}`,
  )
  const name = `audit verify, ${perMessage} changes a message`
  return [
    { name, unit: '/s', values: asked.map(({ seconds }) => COUNT / seconds), bar: { atLeast }, note: 'events; its start included' },
    { name: `${name}: peak memory`, unit: 'MiB', values: asked.map(({ peakMiB }) => peakMiB), bar: { atMost: MAX_VERIFY_MIB } },
  ]
}

/** Every projection made anew and compared with the live ones, by the command's own clock. */
const replaying = async (bench: Bench, data: string): Promise<readonly Measure[]> => {
  const asked: Asked[] = []
  for (let run = 0; run < bench.runs; run += 1) asked.push(await ask(data, ['replay', '--json']))
  bench.say(`  replay: ${asked.map(({ seconds, peakMiB }) => `${seconds.toFixed(1)} s, ${peakMiB} MiB`).join('; ')}`)
  return [
    { name: 'audit replay with comparison', unit: '/s', values: asked.map(({ seconds }) => COUNT / seconds), bar: { atLeast: 25_000 } },
    { name: 'audit replay: peak memory', unit: 'MiB', values: asked.map(({ peakMiB }) => peakMiB) },
  ]
}

/** What is asked of a long log, on the gateway's side, without a gateway. */
export const audit: Workload = {
  name: 'audit',
  about: `questions to a log of ${COUNT} events (EVENTSYNC_BENCH_EVENTS), each a process of its own`,
  run: async (bench: Bench): Promise<readonly Measure[]> => {
    const data = join(bench.fresh(), 'data')
    await makeBigLog(data, COUNT)
    const filled = await ask(data, ['log', '--until', '0'])
    const measures: Measure[] = [
      {
        name: `history index of ${COUNT} events, filled`,
        unit: '/s',
        values: [COUNT / filled.seconds],
        bar: { atLeast: 25_000 },
        note: 'the index alone, by the first audit',
      },
    ]
    for (const { name, args, atMost } of await questions(data)) {
      const asked: Asked[] = []
      for (let run = 0; run < bench.runs; run += 1) asked.push(await ask(data, args))
      bench.say(
        `  ${name}: ${asked.map(({ seconds, first, lines }) => `${seconds.toFixed(2)} s, first after ${first.toFixed(2)} s, ${lines} lines`).join('; ')}`,
      )
      measures.push({
        name: `audit ${name}`,
        unit: 's',
        values: asked.map(({ seconds }) => seconds),
        ...(args[0] === '--help' ? {} : { bar: { atMost } }),
        note: `${asked[0]?.lines ?? 0} lines, the first after ${median(asked.map(({ first }) => first)).toFixed(2)} s`,
      })
    }
    foldState(data)
    measures.push(...(await replaying(bench, data)))
    for (const { perMessage, atLeast } of VERIFIED) {
      const log = perMessage === 16 ? data : join(bench.fresh(), 'data')
      if (log !== data) await makeBigLog(log, COUNT, perMessage)
      measures.push(...(await verifying(bench, log, perMessage, atLeast)))
    }
    return measures
  },
}
