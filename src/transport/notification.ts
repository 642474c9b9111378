import * as E from 'fp-ts/lib/Either.js'
import type { Json, JsonObject } from '../protocol/json.ts'
import { NO_BYTES, type Envelope, type FolderAt } from './port.ts'
import { encodeFrame, type Pieces } from './session/framing.ts'

const bare = ({ folder, position }: FolderAt): JsonObject => ({ Action: 'FolderAt', Folder: folder, Position: position })

/** A notification as a frame; without its page where that would be too large for one. */
export const notificationFrame = (told: FolderAt): Pieces => {
  const { page } = told
  const encode = (head: JsonObject, payload: Uint8Array) => encodeFrame({ type: 'notification', id: 0, head, payload })
  const whole = page === undefined ? encode(bare(told), NO_BYTES) : encode({ ...bare(told), Page: page.message }, page.payload)
  if (E.isRight(whole)) return whole.right
  // Some 100 bytes: it fits.
  return E.getOrElse((): Pieces => [])(encode(bare(told), NO_BYTES))
}

const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)

/** A revision; -1: an empty log. */
const isPosition = (json: Json | undefined): json is number => typeof json === 'number' && Number.isSafeInteger(json) && json >= -1

/** What a notification says; undefined: it is not of the expected form. */
export const readNotification = ({
  message: { Folder: folder, Position: position, Page: page },
  payload,
}: Envelope): FolderAt | undefined => {
  // A position that is none would be remembered, and asked for at every Sync.
  if (typeof folder !== 'string' || !isPosition(position)) return undefined
  return isObject(page) ? { folder, position, page: { message: page, payload } } : { folder, position }
}
