import { hash } from 'node:crypto'
import type { AccountId, AgentKey, FileId, FolderId } from '../domain/events.ts'
import { sha256 } from './hash.ts'

/** A UUID's 16 bytes, as a string of one character each. */
const bytesOf = (uuid: string): string => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('latin1')

/** EventSync's own namespace. */
const NAMESPACE = bytesOf('b8f0d6a2-5c1e-4d0b-9a53-c47e1f2d8e60')

/** A name-based UUID (RFC 9562, section 5.5); the name is ASCII. */
export const uuidV5 = (name: string, namespace?: string): string => {
  const hex = hash('sha1', Buffer.from((namespace === undefined ? NAMESPACE : bytesOf(namespace)) + name, 'latin1'), 'hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/**
 * The id of an event that a change of an agent's message makes: the same for the same message, so that an event appended twice is known (I5).
 * `index` is the change's place in the message; `sub` counts the events that it makes (0: its own).
 */
export const eventId = (agent: AgentKey, epoch: string, number: number, index: number, sub: number, leaf: string): string =>
  uuidV5(`event/${agent}/${epoch}/${number}/${index}/${sub}/${leaf}`)

/** A file's id: 16 digits of its folder, then the revision of the event that made it; unique, and in order of creation. */
// Hex of the right length.
export const fileIdOf = (folder: FolderId, revision: number): FileId =>
  (sha256(folder).slice(0, 16) + revision.toString(16).padStart(16, '0')) as FileId

/** The form in which an email address names an account. */
export const normalizeEmail = (email: string): string => email.trim().toLowerCase()

const named = (text: string): string => sha256(text).slice(0, 32)

/** The same address always makes the same account, so that registering it twice is a conflict in one stream. */
// 32 hex digits.
export const accountIdOf = (email: string): AccountId => named(`account\0${normalizeEmail(email)}`) as AccountId

// 32 hex digits.
export const folderIdOf = (account: AccountId, name: string): FolderId => named(`folder\0${account}\0${name}`) as FolderId
