import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { parseJson } from './json.ts'
import { Reader } from './reader.ts'
import { isPublicKey, isSignature, verify, type Signer } from './signing.ts'

/** The gateway's signed word on where a folder's log stood: kept anywhere, it shows later whether the log was rewritten or cut. */
export interface SignedCheckpoint {
  readonly folder: FolderId
  readonly position: number
  readonly chain: Hash
  /** The gateway's clock, ISO 8601. */
  readonly time: string
  readonly gatewayKey: string
  readonly signature: string
}

type Unsigned = Omit<SignedCheckpoint, 'signature' | 'gatewayKey'>

const PURPOSE = 'eventsync-folder-checkpoint\0'

const signedText = ({ folder, position, chain, time }: Unsigned): string =>
  `${PURPOSE}${canonical({ Chain: chain, Folder: folder, Position: position, Time: time })}`

export const signCheckpoint = (checkpoint: Unsigned, signer: Signer): SignedCheckpoint => ({
  ...checkpoint,
  gatewayKey: signer.publicKey,
  signature: signer.sign(signedText(checkpoint)),
})

/** As it is printed and kept: one field a line, so that it can be typed in again from paper. */
export const checkpointPage = ({ folder, position, chain, time, gatewayKey, signature }: SignedCheckpoint): string =>
  `${JSON.stringify({ Folder: folder, Position: position, Chain: chain, Time: time, GatewayKey: gatewayKey, Signature: signature }, undefined, 2)}\n`

/** Reads what {@link checkpointPage} wrote; left: why it can't be believed. */
export const readCheckpoint = (text: string): E.Either<string, SignedCheckpoint> => {
  const json = parseJson(text)
  if (json === undefined) return E.left('it is not JSON')
  const reader = new Reader()
  const fields = reader.fields(json, '')
  const checkpoint = reader.finish({
    folder: fields.folder('Folder'),
    position: fields.integer('Position'),
    chain: fields.hash('Chain'),
    time: fields.string('Time', 40),
    gatewayKey: fields.string('GatewayKey', 44),
    signature: fields.string('Signature', 88),
  })
  if (E.isLeft(checkpoint)) return E.left(`${checkpoint.left.field} ${checkpoint.left.reason}`)
  const { gatewayKey, signature } = checkpoint.right
  if (!isPublicKey(gatewayKey) || !isSignature(signature)) return E.left('its key or its signature is not of the right form')
  return verify(gatewayKey, signedText(checkpoint.right), signature)
    ? checkpoint
    : E.left('its signature is not that of the key that it names: it was altered')
}
