import { existsSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { readNameBook } from '../audit/names.ts'
import { scanStreams, type Span } from '../audit/stream-scan.ts'
import type { Claim } from '../audit/verify/claims.ts'
import { verifyLog, type Totals } from '../audit/verify/verify.ts'
import { knownFolders } from '../agent/device/folders.ts'
import { rememberedWitness } from '../agent/index/remembered-witness.ts'
import { deviceConfig, type Settings } from '../config.ts'
import type { NamedFolder } from '../projections/history/port.ts'
import type { StreamReader } from '../eventlog/port.ts'
import { saveFile } from '../lib/save-file.ts'
import { WITHHELD } from '../protocol/log-page.ts'
import { readStatement, verifyReceipt } from '../protocol/receipt.ts'
import { verifyAsync } from '../protocol/signing.ts'
import { accountStream, agentStream, folderStream } from '../protocol/streams.ts'
import { resumeText } from '../audit/verify/resume.ts'
import { openDevice, type Device } from './account.ts'
import { openDeviceSource } from './audit-device.ts'
import type { AuditSource } from './audit-source.ts'
import type { AuditOptions } from './audit.ts'
import { readGiven, type VerifyListener, type VerifyOptions } from './audit-verify.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import { fromHistory } from './from-history.ts'

/**
 * Verifies a folder's log as the gateway shows it to this device: the folder's events, the devices of its account, and what those and this one have seen. Contents, and what the gateway
 * keeps for itself, are looked at on its side. A right may tell of faults.
 */
export const verifyThroughGateway = async (
  settings: Settings,
  { env, folder: wanted }: AuditOptions,
  options: VerifyOptions,
  listener: VerifyListener,
): Promise<Outcome<Totals>> => {
  if (options.contents) return fail('usage', "--contents goes with --data: the stored bytes are on the gateway's side")
  const config = fromConfig(deviceConfig(settings, env))
  if (E.isLeft(config)) return config
  const device = openDevice(config.right.state)
  if (E.isLeft(device)) return device
  const { gatewayKey, email } = device.right.enrolment
  const given = readGiven(options)
  if (E.isLeft(given)) return given
  if (given.right.gatewayKey !== undefined && given.right.gatewayKey !== gatewayKey)
    return fail(
      'refused',
      'the gateway that this device was registered with has another key than the one given, or than the given files name',
    )
  // Before the gateway is asked: what is seen meanwhile may be beyond what is read.
  const own = ownClaims(device.right)
  const opened = await openDeviceSource(config.right.state, wanted)
  if (E.isLeft(opened)) return opened
  await using source = opened.right
  const shown = await shownBy(source, wanted)
  if (E.isLeft(shown)) return shown
  const { folder, spans } = shown.right
  const { resume } = options
  const account = accountStream(folder.account)
  const verified = await verifyLog({
    ...given.right,
    gatewayKey,
    claims: [...given.right.claims, ...own].filter(({ stream }) => stream === folderStream(folder.folder)),
    contents: false,
    scan: scanStreams(source.log, spans),
    objects: undefined,
    through: { email, isWithheld: ({ stream, data }) => stream === account && data === WITHHELD },
    verifySignature: verifyAsync,
    report: listener.fault,
    progress: listener.progress,
    save: (resumed) => (resume === undefined ? undefined : saveFile(resume, resumeText(resumed))),
  })
  return E.isLeft(verified) ? fail('failed', `the log cannot be read: ${verified.left.reason}`) : verified
}

interface Shown {
  readonly folder: NamedFolder
  readonly spans: readonly Span[]
}

/** The folder that a person means, and what of the log is read for it. */
const shownBy = async ({ names, history, log }: AuditSource, wanted: string | undefined): Promise<Outcome<Shown>> => {
  const book = fromHistory(await readNameBook(names))
  if (E.isLeft(book)) return book
  const found = book.right.findFolder(wanted)
  if (E.isLeft(found)) return fail('usage', found.left)
  const folder = found.right
  // Whoever may not read it is told so by this one.
  const allowed = fromHistory(await history.head(folder.folder)())
  if (E.isLeft(allowed)) return allowed
  const agents = fromHistory(await names.agents()())
  if (E.isLeft(agents)) return agents
  const spans = await spansOf(
    log,
    folder,
    agents.right.map(({ agent }) => agentStream(agent)),
  )
  return E.map((read: readonly Span[]) => ({ folder, spans: read }))(spans)
}

/**
 * How far each stream is read: first it is noted how far the witnesses are, then the folder, so that none of them has seen more than is read; who there is
 * is read to its end, so that nobody is unknown who sent something before.
 */
const spansOf = async (log: StreamReader, folder: NamedFolder, witnesses: readonly string[]): Promise<Outcome<readonly Span[]>> => {
  const spans: Span[] = []
  for (const stream of [...witnesses, folderStream(folder.folder)]) {
    const last = await log.last(stream)()
    if (E.isLeft(last)) return fail('failed', `the log cannot be read: ${last.left.reason}`)
    spans.push({ stream, upTo: last.right?.revision ?? -1 })
  }
  return E.right([{ stream: accountStream(folder.account), upTo: undefined }, ...spans.toReversed()])
}

/** What this device has seen itself, and the gateway's latest receipts, whatever anybody says now. */
const ownClaims = ({ state, enrolment }: Device): readonly Claim[] =>
  knownFolders(state).flatMap(({ index, path }): readonly Claim[] => {
    const seen = existsSync(index) ? rememberedWitness(index) : undefined
    if (seen === undefined) return []
    const stream = folderStream(enrolment.folder)
    const own: Claim = { stream, revision: seen.position, chain: seen.chain, kind: 'witness', by: `this device, in ${path}` }
    const said = seen.receipt !== undefined && verifyReceipt(seen.receipt, enrolment.gatewayKey) ? readStatement(seen.receipt) : undefined
    if (said === undefined || E.isLeft(said)) return [own]
    const { position, chain } = said.right
    return [own, { stream, revision: position, chain, kind: 'checkpoint', by: "the gateway's own receipt to this device" }]
  })
