import * as E from 'fp-ts/lib/Either.js'
import type { Fault, Progress, Totals } from '../../compose/audit-verify.ts'
import type { Outcome } from '../../compose/failure.ts'
import type { Flags } from '../../config.ts'
import { conclude, EXIT_CODE } from '../outcome.ts'
import { bytesText, count, print, printable, printJson } from '../output.ts'
import { example, type Command, type Globals } from '../program.ts'
import { settingsOf } from '../settings.ts'

interface Options extends Globals {
  readonly json?: boolean
  readonly contents?: boolean
  readonly checkpoint?: readonly string[]
  readonly gatewayKey?: string
  readonly resume?: string
}

/** `eventsync audit verify`: was anything rewritten, lost or damaged? */
export const auditVerify = (audit: Command): void => {
  audit
    .command('verify')
    .description('check that nothing of the log and of the contents was altered, removed or added; exits 6 where anything was')
    .option('--contents', 'read all stored bytes too; otherwise their presence and size are looked at')
    .option('--checkpoint <file...>', 'exported checkpoints: what the log must still say')
    .option(
      '--gateway-key <key>',
      "the gateway's public key as you know it from elsewhere (default: that of the checkpoints, or of the data directory)",
    )
    .option('--resume <file>', 'note there how far it came, and go on from there: what was found right is not checked again')
    .option('--json', 'print one JSON object for each fault, and one for the result')
    .addHelpText(
      'after',
      example('$ eventsync audit verify --data /var/lib/eventsync', '$ eventsync audit verify --contents --checkpoint last-year.json'),
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options & Flags>())))
}

const run = async (options: Options & Flags): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { verifyData, FAULT_KINDS } = await (await import('../../compose.ts')).auditVerify()
  const json = options.json === true
  const meter = createMeter(!json && process.stderr.isTTY)
  const { checkpoint = [], gatewayKey, resume, contents = false } = options
  const verified = await verifyData(
    settings.right,
    { checkpoints: checkpoint, gatewayKey, resume, contents },
    {
      fault: (fault) => {
        meter.clear()
        if (json) printJson({ fault: fault.kind, ...fault, kind: undefined })
        else print(faultLine(fault))
      },
      progress: meter.show,
    },
  )
  meter.clear()
  if (E.isLeft(verified)) return verified
  const damaged = Object.keys(verified.right.faults).length > 0
  if (json) printJson({ ok: !damaged, ...verified.right, heads: undefined })
  else for (const line of resultLines(verified.right, FAULT_KINDS, contents)) print(line)
  if (damaged) process.exitCode = EXIT_CODE.damaged
  return E.right(undefined)
}

const faultLine = ({ kind, stream, revision, path, object, reason }: Fault): string => {
  const place = stream === undefined ? [] : [revision === undefined ? stream : `${stream}@${revision}`]
  return (
    printable(
      [kind.padEnd(10), [...place, ...(path === undefined ? [] : [`"${path}"`]), ...(object === undefined ? [] : [object])].join(' ')].join(
        ' ',
      ),
    ) + `: ${printable(reason)}`
  )
}

const resultLines = (totals: Totals, kinds: Readonly<Record<string, string>>, contents: boolean): readonly string[] => {
  const { events, streams, signatures, paths, chunks, objects, bytes, released, passwords, unjudged } = totals
  const faults = Object.entries(totals.faults)
  return [
    `${count(events, 'event')} in ${count(streams, 'stream')}, ${count(signatures, 'signature')}, ${count(paths, 'path')}, ${count(chunks, 'chunk')} in ${count(objects, 'object')}${contents ? ` (${bytesText(bytes)} read)` : ''}`,
    ...(released > 0 ? [`${count(released, 'chunk')} were let go by retention, as the log says`] : []),
    ...(passwords > 0 ? [`${count(passwords, 'event')} of clients that prove themselves by a password: nobody signed those`] : []),
    ...unjudged.map((place) => `from ${place} on, where the tree cannot be known, what the gateway added to the changes was not judged`),
    ...(faults.length === 0
      ? ['nothing is wrong']
      : ['', 'found:', ...faults.map(([kind, number]) => `${String(number).padStart(8)}  ${kind}: ${kinds[kind] ?? ''}`)]),
  ]
}

const REDRAW_EVERY_MS = 200

/** One line on the terminal that says how far it came. */
const createMeter = (shown: boolean) => {
  const started = performance.now()
  let drawn = 0
  return {
    show: ({ events, objects, bytes }: Progress): void => {
      const now = performance.now()
      if (!shown || now - drawn < REDRAW_EVERY_MS) return
      drawn = now
      const rate = Math.round(events / ((now - started) / 1000))
      const looked = objects === 0 ? `, ${rate} a second` : `; ${count(objects, 'object')}${bytes === 0 ? '' : `, ${bytesText(bytes)}`}`
      process.stderr.write(`\r\x1b[K${count(events, 'event')}${looked}`)
    },
    clear: (): void => {
      if (shown && drawn > 0) process.stderr.write('\r\x1b[K')
    },
  }
}
