import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The same place from the sources and from the package. */
const EVENTSYNC = fileURLToPath(new URL('../../../bin/eventsync', import.meta.url))

/** One process of the demo: the same program with other arguments. */
export interface Child {
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<string>
  /** Asks it to stop, and resolves when it has. */
  stop(): Promise<void>
}

/**
 * Starts this program with other arguments, in a group of its own, so that a Ctrl-C reaches only the demo, which then stops its children in order.
 * They watch the IPC channel: they stop by themselves when the demo is killed.
 */
export const startChild = (args: readonly string[], onLine: (line: string) => void): Child => {
  const child = spawn(EVENTSYNC, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true })
  for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface({ input: stream }).on('line', onLine)
  const ended = new Promise<string>((resolve) => child.once('close', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`)))
  return {
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
