import * as E from 'fp-ts/lib/Either.js'
import { fromConfig, type Outcome } from '../compose/failure.ts'
import type { RetentionDone, RetentionProgress } from '../compose/retention.ts'
import { gatewayConfig, type Flags } from '../config.ts'
import { conclude } from './outcome.ts'
import { bytesText, count, print, printJson, remark } from './output.ts'
import { example, several, timeSpan, wholeNumber, type Command, type Globals } from './program.ts'
import { settingsOf } from './settings.ts'
import { stopSignal } from './stop.ts'

interface Options extends Globals {
  readonly keep: number
  readonly keepVersions: number
  readonly folder?: string
  readonly thorough?: boolean
  readonly dryRun?: boolean
  readonly gone: readonly string[]
  readonly json?: boolean
}

const HELP = `
A version that is current always stays, and so does the log: who changed what and when is never forgotten, and the log tells what was freed, by which rule.
It may be run beside the gateway that works on the directory, or without one; a run that was cut off goes on with the next. Beside a gateway it is that one's work:
Ctrl-C ends this command alone, and the gateway goes on. Gateways that share a log may each run it at the same time; each takes what the others leave.`

/** `eventsync retention`: frees the contents of versions that are too old to keep. */
export const retention = (program: Command): void => {
  program
    .command('retention')
    .description('free the contents of versions that were replaced or deleted too long ago to keep; exits 0 when that is done')
    .requiredOption('--keep <span>', 'versions that ended longer ago may go: 365d, 36h, 2w', timeSpan)
    .option('--keep-versions <number>', 'the newest versions of each file stay, however old', wholeNumber, 0)
    .option('--folder <id>', "one folder alone: its id, or its account's email address")
    .option('--thorough', 'leave nothing behind of what may go, also where that means copying a large pack for one small file')
    .option('--dry-run', 'say what would go, and change nothing')
    .option('--gone <id>', 'a gateway that shared the log and will not come back (more than one: again)', several, [])
    .option('--data <dir>', "the gateway's directory")
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      example(
        '$ eventsync retention --data /var/lib/eventsync --keep 365d --keep-versions 5 --dry-run',
        '$ eventsync retention --data /var/lib/eventsync --keep 365d --keep-versions 5',
      ) + `\n${HELP}`,
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options & Flags>())))
}

const run = async (options: Options & Flags): Promise<Outcome> => {
  const config = E.Monad.chain(settingsOf(options), (settings) => fromConfig(gatewayConfig(settings)))
  if (E.isLeft(config)) return config
  const stop = stopSignal()
  const asked = {
    keepSeconds: options.keep,
    keepVersions: options.keepVersions,
    folder: options.folder,
    thorough: options.thorough === true,
    dryRun: options.dryRun === true,
    gone: options.gone,
  }
  const tell = progressTeller()
  const parts = await (await import('../compose.ts')).retention()
  const done = await parts.retention(config.right, asked, tell, stop)
  if (E.isLeft(done)) return done
  if (options.json === true) printJson({ dryRun: asked.dryRun, ...done.right })
  else print(sentence(done.right, asked.dryRun))
  return E.right(undefined)
}

const EVERY_MS = 1000

/** How far it is, once a second, for whoever sits before a terminal. */
const progressTeller = (): ((progress: RetentionProgress) => void) => {
  let told = 0
  return (progress) => {
    if (!process.stderr.isTTY || Date.now() - told < EVERY_MS) return
    told = Date.now()
    remark(wordsOf(progress))
  }
}

const wordsOf = (progress: RetentionProgress): string => {
  switch (progress.tag) {
    case 'marked':
      return `read the log: ${count(progress.versions, 'version')}, ${progress.released} of them may go`
    case 'retired':
      return `${count(progress.objects, 'object')} to remove, ${bytesText(progress.bytes)}`
    case 'removed':
      return `${count(progress.objects, 'object')} removed, ${bytesText(progress.bytes)}`
  }
}

const sentence = ({ objects, bytes, versions, released }: RetentionDone, dryRun: boolean): string => {
  const of = `${released} of ${count(versions, 'version')} ${dryRun ? 'may go' : 'are kept no longer'}`
  return dryRun
    ? `${of}: ${count(objects, 'object')} would be removed, which frees ${bytesText(bytes)}.`
    : `${of}: ${count(objects, 'object')} removed, ${bytesText(bytes)} (what still is needed of them was copied first).`
}
