import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Outcome } from '../compose/failure.ts'
import type { LocalFolder, Told } from '../compose/folders.ts'
import { statusLines } from './folder-lines.ts'
import { conclude, EXIT_CODE } from './outcome.ts'
import { print, printJson, remark } from './output.ts'
import { example, seconds, type Command, type Globals } from './program.ts'
import { deviceSettings } from './settings.ts'

interface Options extends Globals {
  readonly wait?: boolean
  readonly timeout?: number
  readonly json?: boolean
}

/** `eventsync status`: is this device in sync, and if not, why. */
export const status = (program: Command): void => {
  program
    .command('status')
    .description('is this device in sync? exits 0 if it is, 3 if not (yet), 4 if the gateway is out of reach')
    .argument('[folder]', 'the folder (default: all that this device syncs)')
    .option('--wait', 'first wait until everything found is settled, both ways')
    .option('--timeout <seconds>', 'with --wait: the longest to wait', seconds)
    .option('--json', 'print one JSON object for each folder')
    .addHelpText('after', example('$ eventsync status ~/Sync', '$ eventsync status --wait --timeout 60 --json'))
    .action(async (folder: string | undefined, _: Options, command: Command) =>
      conclude(await run(folder, command.optsWithGlobals<Options>())),
    )
}

const run = async (wanted: string | undefined, options: Options): Promise<Outcome> => {
  const device = deviceSettings(options)
  if (E.isLeft(device)) return device
  const { foldersOf, foldersToCome } = await (await import('../compose.ts')).folders()
  const signal = options.timeout === undefined ? undefined : AbortSignal.timeout(options.timeout * 1000)
  const { state } = device.right
  const folders = options.wait === true ? await foldersToCome(state, wanted, signal) : foldersOf(state, wanted)
  if (E.isLeft(folders)) return folders
  for (const folder of folders.right) {
    const told = await (options.wait === true ? waitFor(folder, signal) : ask(folder))
    if (E.isLeft(told)) return told
    if (options.json === true) printJson(told.right.status)
    else for (const line of statusLines(told.right.status)) print(line)
    raiseExitCode(told.right)
  }
  return E.right(undefined)
}

const ask = async (folder: LocalFolder): Promise<Outcome<Told>> => (await (await import('../compose.ts')).folders()).statusOf(folder)

const waitFor = async (folder: LocalFolder, signal: AbortSignal | undefined): Promise<Outcome<Told>> => {
  const { untilInSync, statusOf } = await (await import('../compose.ts')).folders()
  const before = await statusOf(folder)
  if (E.isRight(before) && !before.right.running) remark(`eventsync: no agent is running for ${folder.path} yet; waiting for one`)
  return untilInSync(folder, signal)
}

/** The worst of all folders: out of reach, not in sync, in sync. */
const raiseExitCode = ({ status: { inSync, connected }, running }: Told): void => {
  if (inSync) return
  const kind: Failure['kind'] = running && !connected ? 'unreachable' : 'notInSync'
  process.exitCode = Math.max(Number(process.exitCode ?? 0), EXIT_CODE[kind])
}
