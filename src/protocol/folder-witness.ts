import * as E from 'fp-ts/lib/Either.js'
import type { Hash } from '../domain/content.ts'
import type { AgentKey, FolderId } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { parseJson, type JsonObject } from './json.ts'
import type { Receipt } from './messages.ts'
import { Reader, type Fields } from './reader.ts'
import { encodeReceipt, readReceipt, readStatement, verifyReceipt, type Statement } from './receipt.ts'
import { agentKeyOf, isPublicKey, isSignature, verify, type Signer } from './signing.ts'

/** A device's signed word on what it has seen of a folder's log, kept anywhere: the log must say the same for ever. */
export interface FolderWitness {
  readonly folder: FolderId
  readonly position: number
  readonly chain: Hash
  /** The device's clock, ISO 8601. */
  readonly time: string
  /** The key of the gateway that the device is registered with. */
  readonly gatewayKey: string
  /** The gateway's signed word on the latest message of the device that it accepted, where there was one. */
  readonly receipt: Receipt | undefined
}

/** What a witness says that can be believed. */
export interface ReadWitness extends FolderWitness {
  readonly agent: AgentKey
  /** What the receipt says. */
  readonly accepted: Statement | undefined
}

const PURPOSE = 'eventsync-folder-witness\0'

const fieldsOf = ({ folder, position, chain, time, gatewayKey, receipt }: FolderWitness, publicKey: string): JsonObject => ({
  Folder: folder,
  Position: position,
  Chain: chain,
  Time: time,
  PublicKey: publicKey,
  GatewayKey: gatewayKey,
  ...(receipt === undefined ? {} : { Receipt: encodeReceipt(receipt) }),
})

/** As it is printed and kept, signed by the device. */
export const witnessPage = (witness: FolderWitness, signer: Signer): string => {
  const fields = fieldsOf(witness, signer.publicKey)
  return `${JSON.stringify({ ...fields, Signature: signer.sign(`${PURPOSE}${canonical(fields)}`) }, undefined, 2)}\n`
}

/** Whether a page is a device's word, and not the gateway's own checkpoint. */
export const isWitnessPage = (text: string): boolean => {
  const json = parseJson(text)
  return typeof json === 'object' && json !== null && 'PublicKey' in json
}

/** Reads what {@link witnessPage} wrote; left: why it can't be believed. */
export const readWitness = (text: string): E.Either<string, ReadWitness> => {
  const reader = new Reader()
  const fields = reader.fields(parseJson(text), '')
  const read = reader.finish({
    witness: {
      folder: fields.folder('Folder'),
      position: fields.integer('Position'),
      chain: fields.hash('Chain'),
      time: fields.string('Time', 40),
      gatewayKey: fields.string('GatewayKey', 44),
      receipt: receiptOf(reader, fields),
    },
    publicKey: fields.string('PublicKey', 44),
    signature: fields.string('Signature', 88),
  })
  if (E.isLeft(read)) return E.left(`${read.left.field} ${read.left.reason}`)
  const { witness, publicKey, signature } = read.right
  if (!isPublicKey(publicKey) || !isPublicKey(witness.gatewayKey) || !isSignature(signature))
    return E.left('its keys or its signature are not of the right form')
  if (!verify(publicKey, `${PURPOSE}${canonical(fieldsOf(witness, publicKey))}`, signature))
    return E.left('its signature is not that of the key that it names: it was altered')
  const agent = agentKeyOf(Buffer.from(publicKey, 'base64'))
  return E.map((accepted: Statement | undefined) => ({ ...witness, agent, accepted }))(acceptedBy(witness))
}

const receiptOf = (reader: Reader, fields: Fields): Receipt | undefined =>
  fields.has('Receipt') ? readReceipt(reader, fields.raw('Receipt'), 'Receipt') : undefined

const acceptedBy = ({ folder, receipt, gatewayKey }: FolderWitness): E.Either<string, Statement | undefined> => {
  if (receipt === undefined) return E.right(undefined)
  const said = readStatement(receipt)
  if (E.isLeft(said)) return E.left(`${said.left.field} ${said.left.reason}`)
  if (!isSignature(receipt.signature) || !verifyReceipt(receipt, gatewayKey))
    return E.left('its receipt is not signed by the gateway that it names')
  return said.right.folder === folder ? said : E.left('its receipt is of another folder')
}
