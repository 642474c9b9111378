import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { GatewayConfig } from '../config.ts'
import { DATA_MARKER } from '../domain/path.ts'
import { createGateway } from '../gateway/gateway.ts'
import type { RetentionDone, RetentionProgress } from '../gateway/retention/run.ts'
import { askControl, type ControlHandler } from './control.ts'
import { openDataDirectory } from './data-directory.ts'
import { fail, type Failure, type Outcome } from './failure.ts'
import { inStep, openGatewayParts } from './gateway-parts.ts'
import { runRetentionJob, type RetentionAsked, type RetentionGateway } from './retention-job.ts'

export type { RetentionAsked } from './retention-job.ts'
export type { RetentionDone, RetentionProgress } from '../gateway/retention/run.ts'

/** What the gateway that runs tells the command, line by line. */
type Line = { readonly progress: RetentionProgress } | { readonly done: RetentionDone } | { readonly failed: Failure }

/** One run at a time; it ends between two steps when the gateway does. */
export const createRetentionHandler = (gateway: RetentionGateway, stopping: AbortSignal): ControlHandler => {
  let running = false
  return async (asked, answer) => {
    const line = (value: Line): void => answer(value)
    if (!isAsked(asked))
      return line({ failed: { kind: 'usage', reason: 'this gateway does not understand the command: it has another version' } })
    if (running)
      return line({ failed: { kind: 'failed', reason: 'a run of retention is under way on this gateway already: wait for its end' } })
    running = true
    try {
      const done = await runRetentionJob(gateway, asked, { stopped: () => stopping.aborted, progress: (progress) => line({ progress }) })
      line(E.isLeft(done) ? { failed: done.left } : { done: done.right })
    } catch (error) {
      gateway.deps.logger.error('a run of retention failed', { error: error instanceof Error ? error.stack : String(error) })
      line({ failed: { kind: 'failed', reason: 'the gateway failed: its log says more' } })
    } finally {
      running = false
    }
  }
}

/** From a command of the same user, over the gateway's own socket: its form alone is looked at, against another version's. */
const isAsked = (asked: unknown): asked is RetentionAsked =>
  typeof asked === 'object' && asked !== null && 'keepSeconds' in asked && 'keepVersions' in asked && 'thorough' in asked && 'gone' in asked

/** Runs retention on the gateway that works on the data directory, or here where none does. */
export const retention = async (
  config: GatewayConfig,
  asked: RetentionAsked,
  progress: (progress: RetentionProgress) => void,
  stop: AbortSignal,
): Promise<Outcome<RetentionDone>> => {
  if (!existsSync(join(config.data, DATA_MARKER)))
    return fail('usage', `${config.data} holds no gateway's data: name the directory that eventsync serve works on with --data`)
  const lines = await askControl(config.data, asked, stop)
  if (lines !== undefined) return follow(lines, progress, stop)
  if (stop.aborted) return STOPPED
  process.umask(0o077)
  const data = openDataDirectory(config.data)
  if (E.isLeft(data)) return data
  await using parts = new AsyncDisposableStack()
  const opened = await openGatewayParts({ ...config, logLevel: 'warn' }, parts.use(data.right), parts)
  if (E.isLeft(opened)) return opened
  const gateway = createGateway(opened.right.deps)
  const caughtUp = await inStep(opened.right, gateway, parts)
  if (E.isLeft(caughtUp)) return caughtUp
  return await runRetentionJob({ gateway, ...opened.right }, asked, { stopped: () => stop.aborted, progress })
}

const STOPPED = fail(
  'failed',
  "this command was stopped, and the gateway goes on with the run: 'eventsync audit log --account-events --action RetentionEnded' on its side tells its end",
)

const follow = async (
  lines: AsyncIterable<unknown>,
  progress: (progress: RetentionProgress) => void,
  stop: AbortSignal,
): Promise<Outcome<RetentionDone>> => {
  try {
    for await (const text of lines) {
      // The gateway's own lines, of the same version as this command or refused by it.
      const line = text as Line
      if ('done' in line) return E.right(line.done)
      if ('failed' in line) return E.left(line.failed)
      progress(line.progress)
    }
  } catch {
    // The connection broke, or this command was stopped: told below.
  }
  if (stop.aborted) return STOPPED
  return fail('failed', 'the gateway ended before the run did: start it, and run this again, which goes on where it was')
}
