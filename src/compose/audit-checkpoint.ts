import * as E from 'fp-ts/lib/Either.js'
import { checkpointPage, signCheckpoint, type SignedCheckpoint } from '../protocol/folder-checkpoint.ts'
import { gatewayConfig, type Settings } from '../config.ts'
import { isHash } from '../domain/content.ts'
import { systemClock } from '../lib/clock.ts'
import { folderStream } from '../protocol/streams.ts'
import type { Audit } from './audit.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import { gatewaySigner } from './gateway-signer.ts'

/** The gateway's signed word on where a folder's log stands now. */
export const signedCheckpoint = async (settings: Settings, { folder, head, log }: Audit): Promise<Outcome<SignedCheckpoint>> => {
  const config = fromConfig(gatewayConfig(settings))
  if (E.isLeft(config)) return config
  const signer = gatewaySigner(config.right.data)
  if (E.isLeft(signer)) return signer
  const read = await log.read(folderStream(folder.folder), head, 1)()
  if (E.isLeft(read)) return fail('failed', `the log cannot be read: ${read.left.reason}`)
  const chain = read.right[0]?.chain
  if (!isHash(chain)) return fail('damaged', `the log's event ${head} of the folder has no chain: run 'eventsync audit verify'`)
  const time = new Date(systemClock.wall()).toISOString()
  return E.right(signCheckpoint({ folder: folder.folder, position: head, chain, time }, signer.right))
}

/** The same as the page that is kept; through a gateway, its own. */
export const exportedCheckpoint = async (settings: Settings, audit: Audit): Promise<Outcome<string>> =>
  audit.checkpoint === undefined ? E.map(checkpointPage)(await signedCheckpoint(settings, audit)) : audit.checkpoint()
