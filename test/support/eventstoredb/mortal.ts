import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../servers/ports.ts'
import { until } from '../wait.ts'
import { StandIn } from './server.ts'

/** A log's server that a test kills, and that comes back with what it had. */
export interface MortalServer extends AsyncDisposable {
  readonly url: string
  kill(): Promise<void>
  /** Resolves when it takes requests. */
  start(): Promise<void>
}

/** `COMMAND PORT DIRECTORY` runs a real server without TLS in the foreground, with its data in the directory; without it a stand-in is killed. */
const COMMAND = process.env['EVENTSYNC_TEST_ESDB_COMMAND']

export const mortalServer = (): Promise<MortalServer> => (COMMAND === undefined ? mortalStandIn() : mortalProcess(COMMAND.split(' ')))

const mortalStandIn = async (): Promise<MortalServer> => {
  let running = await StandIn.start()
  const { port, storage } = running
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    kill: () => running.stop(),
    start: async () => {
      running = await StandIn.start({ port, storage })
    },
    [Symbol.asyncDispose]: () => running.stop(),
  }
}

const mortalProcess = async ([program = '', ...args]: readonly string[]): Promise<MortalServer> => {
  const directory = mkdtempSync(join(tmpdir(), 'eventsync-esdb-'))
  const [port = 0] = await freePorts(2)
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const started = spawn(program, [...args, String(port), join(directory, 'db')], { stdio: 'ignore' })
    child = started
    const lives = async (): Promise<boolean> => {
      if (started.exitCode !== null) throw new Error(`the event log's server ended with ${started.exitCode}`)
      return (await fetch(`http://127.0.0.1:${port}/health/live`).catch(() => undefined))?.ok === true
    }
    await until("the event log's server", lives, 60)
  }
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const gone = async (): Promise<void> => {
    await kill()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await start()
  } catch (error) {
    await gone()
    throw error
  }
  return { url: `esdb://127.0.0.1:${port}?tls=false`, kill, start, [Symbol.asyncDispose]: gone }
}
