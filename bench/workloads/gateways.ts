import { queueAgents, type QueueAgent } from '../../test/support/queue-agent.ts'
import type { Bench, Workload } from '../support/bench.ts'
import { startGateways, startServers, type Gateways, type Servers } from '../support/gateways.ts'
import { cpuOf } from '../support/machine.ts'
import type { Measure } from '../support/measure.ts'

const FOLDERS = 8
const MESSAGES = 12
const FILES = 16

interface Run {
  readonly rate: number
  /** CPU milliseconds of all gateways, and of the busiest, for each change. */
  readonly cpu: number
  readonly busiest: number
}

/** Each agent sends one message after the other, all agents at once; changes a second. */
const throughput = async ({ processes }: Gateways, agents: readonly QueueAgent[]): Promise<Run> => {
  const before = processes.map(({ pid }) => cpuOf(pid))
  const start = performance.now()
  await Promise.all(
    agents.map(async (agent) => {
      for (let message = 0; message < MESSAGES; message += 1) await agent.send(FILES)
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const used = processes.map(({ pid }, at) => cpuOf(pid) - (before[at] ?? 0))
  const changes = agents.length * MESSAGES * FILES
  const each = (cpu: number): number => (cpu / changes) * 1000
  return { rate: changes / seconds, cpu: each(used.reduce((sum, cpu) => sum + cpu, 0)), busiest: each(Math.max(...used)) }
}

/** The longest that a message waited for which one of the gateways was killed; milliseconds. */
const recovery = async ({ processes }: Gateways, agents: readonly QueueAgent[]): Promise<number> => {
  let longest = 0
  const sending = agents.map(async (agent) => {
    for (let message = 0; message < MESSAGES; message += 1) {
      const start = performance.now()
      await agent.send(1)
      longest = Math.max(longest, performance.now() - start)
      if (message === MESSAGES / 2 && agent === agents[0]) await processes[0]?.kill()
    }
  })
  await Promise.all(sending)
  return longest
}

const once = async (bench: Bench, directory: string, servers: Servers, count: number): Promise<Run & { readonly recovered: number }> => {
  await using parts = new AsyncDisposableStack()
  const gateways = await startGateways(directory, servers, count, parts)
  const agents = await queueAgents(gateways.url, FOLDERS, parts)
  const run = await throughput(gateways, agents)
  return { ...run, recovered: count > 1 ? await recovery(gateways, agents) : Number.NaN }
}

export const gateways: Workload = {
  name: 'gateways',
  about: 'one gateway and two, over RabbitMQ, a shared log and S3: 8 folders, 16 agents (needs rabbitmq-server and radosgw)',
  run: async (bench): Promise<readonly Measure[]> => {
    await using parts = new AsyncDisposableStack()
    const servers = await startServers(bench.fresh(), parts)
    const [one, two] = [
      await bench.repeat('one gateway', (directory) => once(bench, directory, servers, 1)),
      await bench.repeat('two gateways', (directory) => once(bench, directory, servers, 2)),
    ]
    const note = (runs: readonly Run[]): string =>
      `CPU ms a change: ${runs.map(({ cpu, busiest }) => `${cpu.toFixed(2)} (busiest ${busiest.toFixed(2)})`).join(', ')}`
    const rates = (runs: readonly Run[]): number[] => runs.map(({ rate }) => rate)
    return [
      { name: `one gateway over RabbitMQ, changes of 1 KiB, ${FILES} a message`, unit: '/s', values: rates(one), note: note(one) },
      { name: 'the same, two gateways', unit: '/s', values: rates(two), note: note(two) },
      { name: 'kill -9 of one of them: the longest that a message waited', unit: 'ms', values: two.map(({ recovered }) => recovered) },
    ]
  },
}
