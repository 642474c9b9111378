import * as E from 'fp-ts/lib/Either.js'
import type { RunningAgent } from '../compose/agent.ts'
import { fail, type Failure, type Outcome } from '../compose/failure.ts'
import { notInSync } from './folder-lines.ts'
import { conclude } from './outcome.ts'
import { example, seconds, type Command, type Globals } from './program.ts'
import { jsonReporter, lineReporter, quietly, terminalReporter, type Reporter } from './reporter.ts'
import { deviceSettings } from './settings.ts'
import { aborted, stopSignal } from './stop.ts'

interface Options extends Globals {
  readonly once?: boolean
  readonly timeout?: number
  readonly server?: string
  readonly insecure?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** `eventsync agent`: keeps a folder in sync. */
export const agent = (program: Command): void => {
  program
    .command('agent')
    .description('keep a folder in sync, until SIGTERM or Ctrl-C')
    .argument('<folder>', 'the folder (made where it is missing and was never synced)')
    .option('--once', 'sync both ways, then exit: 0 in sync, 3 not (says why), 4 gateway out of reach, 5 refused')
    .option('--timeout <seconds>', 'with --once: the longest that it may take', seconds)
    .option('--server <url>', 'the same gateway at another address than the one of `register`')
    .option('--insecure', 'with --server: allow ws:// to another machine')
    .option('--json', 'report one JSON object a line')
    .option('--quiet', 'report only what is wrong: conflicts, held deletions, problems, lost connections')
    .addHelpText('after', example('$ eventsync agent ~/Sync', '$ eventsync agent ~/Sync --once && echo all there'))
    .action(async (folder: string, _: Options, command: Command) => conclude(await run(folder, command.optsWithGlobals<Options>())))
}

const run = async (folder: string, options: Options): Promise<Outcome> => {
  const device = deviceSettings(options)
  if (E.isLeft(device)) return device
  const { agent: load, serverUrl } = await import('../compose.ts')
  const server = options.server === undefined ? E.right(undefined) : serverUrl(options.server, options.insecure === true)
  if (E.isLeft(server)) return server
  const stop = stopSignal()
  const reporter = reporterFor(options)
  const { startAgent } = await load()
  const started = await startAgent({ config: device.right, folder, server: server.right, report: reporter.report })
  if (E.isLeft(started)) return started
  await using running = started.right
  const outcome = await (options.once === true
    ? syncOnce(running, stop, options.timeout)
    : Promise.race([aborted(stop).then(() => E.right(undefined)), running.failed]))
  reporter.flush()
  return outcome
}

const reporterFor = (options: Options): Reporter => (options.quiet === true ? quietly(fullReporterFor(options)) : fullReporterFor(options))

const fullReporterFor = ({ json }: Options): Reporter => {
  if (json === true) return jsonReporter()
  return process.stdout.isTTY && process.stderr.isTTY ? terminalReporter() : lineReporter()
}

const syncOnce = async (running: RunningAgent, stop: AbortSignal, timeout: number | undefined): Promise<Outcome> => {
  const done = new AbortController()
  const signal = AbortSignal.any([stop, done.signal, ...(timeout === undefined ? [] : [AbortSignal.timeout(timeout * 1000)])])
  const settled = running.sync.settle(signal).then((status): Outcome => {
    if (status.inSync) return E.right(undefined)
    if (stop.aborted) return fail('notInSync', `${running.path} is not in sync: it was stopped before the end`)
    return E.left(notInSync({ ...status, folder: running.path }))
  })
  const outcome = await Promise.race([settled, running.failed, running.outOfReach(done.signal).then((failure: Failure) => E.left(failure))])
  done.abort()
  return outcome
}
