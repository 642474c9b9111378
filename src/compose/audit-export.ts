import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { once } from 'node:events'
import * as E from 'fp-ts/lib/Either.js'
import { checkpointPage, signCheckpoint } from '../protocol/folder-checkpoint.ts'
import { encodeRecord, endText, type ExportHeader, type ExportRecord } from '../audit/export/record.ts'
import { verifyExport, type ExportLine, type ExportTotals } from '../audit/export/verify.ts'
import type { FaultKind } from '../audit/verify/fault.ts'
import { exportRecords, messageEnd } from '../audit/export/write.ts'
import { gatewayConfig, type Settings } from '../config.ts'
import type { Hash } from '../domain/content.ts'
import { systemClock } from '../lib/clock.ts'
import { canonical } from '../protocol/canonical.ts'
import { verifyAsync } from '../protocol/signing.ts'
import { folderStream } from '../protocol/streams.ts'
import type { Audit } from './audit.ts'
import { readGiven, type VerifyListener, type VerifyOptions } from './audit-verify.ts'
import { openDataSource } from './audit-source.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import { gatewaySigner } from './gateway-signer.ts'

/** What an export came to. */
export interface ExportVerified extends ExportTotals {
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
}

export interface ExportOptions {
  readonly file: string
  readonly from: string | undefined
  readonly to: string | undefined
  readonly path: string | undefined
  readonly contents: boolean
}

export interface Exported {
  readonly events: number
  readonly chunks: number
  /** Chunks that the store does not have any more. */
  readonly absent: number
  readonly from: number
  readonly to: number
}

/** Writes a folder's evidence into a file that proves itself. */
export const exportEvidence = async (settings: Settings, audit: Audit, options: ExportOptions): Promise<Outcome<Exported>> => {
  const config = fromConfig(gatewayConfig(settings))
  if (E.isLeft(config)) return config
  const signer = gatewaySigner(config.right.data)
  if (E.isLeft(signer)) return signer
  const header = await headerOf(audit, options, signer.right.publicKey)
  if (E.isLeft(header)) return header
  if (existsSync(options.file)) return fail('usage', `${options.file} is there already: give the export another name`)
  const opened = await openDataSource(config.right, () => undefined)
  if (E.isLeft(opened)) return opened
  await using source = opened.right
  const lines = await createLines(options.file)
  await lines.write({ kind: 'Export', header: header.right })
  const counted = { events: 0, chunks: 0, absent: 0 }
  let chain: Hash | undefined
  for await (const record of exportRecords({ log: source.log, chunk: (hash) => source.blobs.get(hash)() }, header.right)) {
    if (E.isLeft(record)) return fail('failed', `the log cannot be read: ${record.left.reason}`)
    await lines.write(record.right)
    if (record.right.kind === 'Event') counted.events += 1
    if (record.right.kind === 'Chunk') counted.chunks += 1
    if (record.right.kind === 'Absent') counted.absent += 1
    // Written by the gateway: a hash.
    if (record.right.kind === 'Event' && record.right.event.stream === folderStream(header.right.folder))
      chain = record.right.event.chain as Hash
  }
  const { folder, to, time } = header.right
  const last = await source.log.read(folderStream(folder), to, 1)()
  if (E.isRight(last) && last.right[0] !== undefined) chain = last.right[0].chain as Hash
  if (chain !== undefined)
    await lines.write({ kind: 'Checkpoint', text: checkpointPage(signCheckpoint({ folder, position: to, chain, time }, signer.right)) })
  const { count, digest } = lines.so()
  await lines.write({ kind: 'End', lines: count, digest, signature: signer.right.sign(endText(digest)) })
  await lines.close()
  return E.right({ ...counted, from: header.right.from, to })
}

const headerOf = async (audit: Audit, { from, to, path, contents }: ExportOptions, gatewayKey: string): Promise<Outcome<ExportHeader>> => {
  const { folder, name, account } = audit.folder
  const first = from === undefined ? E.right(0) : await audit.at(from)
  if (E.isLeft(first)) return first
  const asked = await audit.at(to)
  if (E.isLeft(asked)) return asked
  const end = await messageEnd(audit, folderStream(folder), asked.right)
  if (E.isLeft(end)) return fail('failed', `the log cannot be read: ${end.left.reason}`)
  const email = audit.names.email(account)
  if (email === undefined) return fail('damaged', `the log does not say who owns the folder ${name}: run 'eventsync audit verify'`)
  const time = new Date(systemClock.wall()).toISOString()
  return E.right({ folder, name, account, email, from: Math.max(0, first.right), to: end.right, path, contents, time, gatewayKey })
}

/** A file of lines, written as they come, for its owner alone. */
const createLines = async (file: string) => {
  const digest = createHash('sha256')
  const stream = createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true })
  await once(stream, 'open')
  let count = 0
  return {
    write: async (record: ExportRecord): Promise<void> => {
      const line = `${canonical(encodeRecord(record))}\n`
      digest.update(line)
      count += 1
      if (!stream.write(line)) await once(stream, 'drain')
    },
    so: () => ({ count, digest: digest.copy().digest('hex') as Hash }),
    close: async (): Promise<void> => {
      stream.end()
      await once(stream, 'close')
    },
  }
}

/** Verifies an export; a right may tell of faults. */
export const verifyFile = async (file: string, options: VerifyOptions, listener: VerifyListener): Promise<Outcome<ExportVerified>> => {
  const given = readGiven(options)
  if (E.isLeft(given)) return given
  if (!existsSync(file)) return fail('usage', `${file} is not there: name an export that 'eventsync audit export' has made`)
  const faults: Partial<Record<FaultKind, number>> = {}
  const totals = await verifyExport({
    lines: linesOf(file),
    lineAt: async (offset) => {
      for await (const { text } of linesOf(file, offset)) return text
      return undefined
    },
    verifySignature: verifyAsync,
    gatewayKey: given.right.gatewayKey,
    claims: given.right.claims,
    report: (fault) => {
      faults[fault.kind] = (faults[fault.kind] ?? 0) + 1
      listener.fault(fault)
    },
    progress: (lines) => listener.progress({ events: lines, objects: 0, bytes: 0 }),
  })
  return E.right({ ...totals, faults })
}

const NEWLINE = 0x0a

/** The lines of a file from an offset on: UTF-8, so that what is none shows in the digest. */
async function* linesOf(file: string, start = 0): AsyncGenerator<ExportLine, void> {
  let rest = Buffer.alloc(0)
  let offset = start
  for await (const piece of createReadStream(file, { start, highWaterMark: start === 0 ? 1024 * 1024 : 16 * 1024 })) {
    // A stream without an encoding gives buffers.
    rest = Buffer.concat([rest, piece as Buffer])
    let from = 0
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, from)) {
      yield { text: rest.toString('utf8', from, end), offset, ended: true }
      offset += end + 1 - from
      from = end + 1
    }
    rest = rest.subarray(from)
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), offset, ended: false }
}
