import * as E from 'fp-ts/lib/Either.js'
import type { ExportVerified } from '../../compose/audit-export.ts'
import type { Fault, Progress, Totals, VerifyListener, VerifyOptions } from '../../compose/audit-verify.ts'
import type { Outcome } from '../../compose/failure.ts'
import type { Flags, Settings } from '../../config.ts'
import { conclude, EXIT_CODE } from '../outcome.ts'
import { bytesText, count, print, printable, printJson } from '../output.ts'
import { example, type Command, type Globals } from '../program.ts'
import { settingsOf } from '../settings.ts'

interface Options extends Globals {
  readonly folder?: string
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
    .argument('[file]', "an export to verify instead of a gateway's data")
    .option('--contents', 'read all stored bytes too; otherwise their presence and size are looked at')
    .option('--checkpoint <file...>', 'exported checkpoints, and what devices have seen (audit witness): the log must still say the same')
    .option(
      '--gateway-key <key>',
      "the gateway's public key as you know it from elsewhere (default: that of the checkpoints, or of the data directory)",
    )
    .option('--resume <file>', 'note there how far it came, and go on from there: what was found right is not checked again')
    .option('--json', 'print one JSON object for each fault, and one for the result')
    .addHelpText(
      'after',
      example(
        '$ eventsync audit verify --data /var/lib/eventsync --contents --checkpoint last-year.json',
        '$ eventsync audit verify evidence.jsonl',
        '$ eventsync audit verify',
      ) +
        `\n
Without --data, on a device: the log as its gateway shows it, compared with what this device has seen.`,
    )
    .action(async (file: string | undefined, _: unknown, command: Command) =>
      conclude(await run(file, command.optsWithGlobals<Options & Flags>())),
    )
}

const run = async (file: string | undefined, options: Options & Flags): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const json = options.json === true
  const meter = createMeter(!json && process.stderr.isTTY)
  const listener: VerifyListener = {
    fault: (fault) => {
      meter.clear()
      if (json) printJson({ fault: fault.kind, ...fault, kind: undefined })
      else print(faultLine(fault))
    },
    progress: meter.show,
  }
  const { checkpoint = [], gatewayKey, resume, contents = false } = options
  const given: VerifyOptions = { checkpoints: checkpoint, gatewayKey, resume, contents }
  const verified = await verifying(file, options.folder, settings.right, given, listener)
  meter.clear()
  if (E.isLeft(verified)) return verified
  const { lines, result, damaged } = verified.right
  if (json) printJson({ ok: !damaged, ...result })
  else for (const line of lines) print(line)
  if (damaged) process.exitCode = EXIT_CODE.damaged
  return E.right(undefined)
}

const verifying = (
  file: string | undefined,
  folder: string | undefined,
  settings: Settings,
  given: VerifyOptions,
  listener: VerifyListener,
): Promise<Outcome<Verified>> => {
  if (file !== undefined) return ofFile(file, given, listener)
  return settings.has('data') ? ofData(settings, given, listener) : ofDevice(settings, folder, given, listener)
}

/** What a verification came to: for people, for programs, and whether anything is wrong. */
interface Verified {
  readonly lines: readonly string[]
  readonly result: object
  readonly damaged: boolean
}

/** Through this device's gateway, as far as its account's rights go. */
const ofDevice = async (
  settings: Settings,
  folder: string | undefined,
  options: VerifyOptions,
  listener: VerifyListener,
): Promise<Outcome<Verified>> => {
  const { FAULT_KINDS } = await (await import('../../compose.ts')).auditVerify()
  const { verifyThroughGateway } = await (await import('../../compose.ts')).auditVerifyDevice()
  const asked = { env: process.env, ...(folder === undefined ? {} : { folder }) }
  return E.map((totals: Totals) => ({
    lines: [
      ...resultLines(totals, FAULT_KINDS, false),
      "through the gateway: the folder's events, the account's devices, and what they and this one have seen; contents are looked at with --data, on its side",
    ],
    result: { ...totals, heads: undefined },
    damaged: Object.keys(totals.faults).length > 0,
  }))(await verifyThroughGateway(settings, asked, options, listener))
}

const ofData = async (settings: Settings, options: VerifyOptions, listener: VerifyListener): Promise<Outcome<Verified>> => {
  const { verifyData, FAULT_KINDS } = await (await import('../../compose.ts')).auditVerify()
  return E.map((totals: Totals) => ({
    lines: resultLines(totals, FAULT_KINDS, options.contents),
    result: { ...totals, heads: undefined },
    damaged: Object.keys(totals.faults).length > 0,
  }))(await verifyData(settings, options, listener))
}

const ofFile = async (file: string, options: VerifyOptions, listener: VerifyListener): Promise<Outcome<Verified>> => {
  const { verifyFile } = await (await import('../../compose.ts')).auditExport()
  return E.map((totals: ExportVerified) => ({
    lines: exportLines(totals),
    result: totals,
    damaged: Object.keys(totals.faults).length > 0,
  }))(await verifyFile(file, options, listener))
}

const exportLines = ({ header, events, signatures, chunks, absent, passwords, whole, faults }: ExportVerified): readonly string[] => [
  `${count(events, 'event')}, ${count(signatures, 'signature')}, ${count(chunks, 'chunk')}`,
  ...(header === undefined
    ? []
    : [printable(`of the folder "${header.name}" of ${header.email}, made ${header.time} by the gateway ${header.gatewayKey}`)]),
  ...(whole ? [] : ['it does not hold all events: each was proved for itself, and what the gateway added to it was not judged']),
  ...(absent > 0 ? [`${count(absent, 'chunk')} were not stored any more when it was made`] : []),
  ...(passwords > 0 ? [`${count(passwords, 'event')} of clients that prove themselves by a password: nobody signed those`] : []),
  Object.keys(faults).length === 0
    ? 'nothing is wrong'
    : `found: ${Object.entries(faults)
        .map(([kind, number]) => `${number} ${kind}`)
        .join(', ')}`,
]

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
