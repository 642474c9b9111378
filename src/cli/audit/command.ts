import * as E from 'fp-ts/lib/Either.js'
import type { Audit } from '../../compose/audit.ts'
import type { Outcome } from '../../compose/failure.ts'
import type { Flags } from '../../config.ts'
import { remark } from '../output.ts'
import type { Globals } from '../program.ts'
import { settingsOf } from '../settings.ts'

/** What every audit knows. */
export type AuditOptions = Globals & Flags & { readonly folder?: string; readonly json?: boolean }

const SAY_EVERY_MS = 2000

/** Opens what is to be asked about, asks, and closes it again. */
export const auditing = async (options: AuditOptions, ask: (audit: Audit) => Promise<Outcome>): Promise<Outcome> => {
  const settings = settingsOf(options)
  if (E.isLeft(settings)) return settings
  const { openAudit } = await (await import('../../compose.ts')).audit()
  const { folder } = options
  const opened = await openAudit(settings.right, { env: process.env, ...(folder === undefined ? {} : { folder }) }, telling())
  if (E.isLeft(opened)) return opened
  await using audit = opened.right
  return await ask(audit)
}

/** The first audit after a while may have to fill the index. */
const telling = (): ((events: number) => void) => {
  let next = performance.now() + SAY_EVERY_MS
  return (events) => {
    if (performance.now() < next) return
    next = performance.now() + SAY_EVERY_MS
    remark(`filling the index: ${events} events of the log so far`)
  }
}

/** An option that may be given more than once, or with commas. */
export const several = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...text.split(',').filter((each) => each !== ''),
]
