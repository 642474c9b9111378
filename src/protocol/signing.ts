import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify as verifySignature,
  type KeyObject,
} from 'node:crypto'
import type { AgentKey, FolderId } from '../domain/events.ts'
import { canonical } from './canonical.ts'
import { normalizeEmail } from './event-ids.ts'
import { encodeHead } from './head.ts'
import type { Head } from './messages.ts'

/** Whoever signs: an agent, or the gateway for its receipts. The private key stays inside. */
export interface Signer {
  readonly key: AgentKey
  /** Base64 of the 32 raw bytes. */
  readonly publicKey: string
  /** Base64 of Ed25519 over the text's UTF-8. */
  readonly sign: (text: string) => string
}

// Ed25519 keys have one fixed form around their 32 bytes (RFC 8410).
const PKCS8_BEFORE_SEED = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_BEFORE_KEY = Buffer.from('302a300506032b6570032100', 'hex')

/** The first 128 bits of SHA-256 of an Ed25519 public key's 32 bytes, in upper-case hex. */
export const agentKeyOf = (publicKeyRaw: Uint8Array): AgentKey =>
  // 32 upper-case hex digits.
  createHash('sha256').update(publicKeyRaw).digest('hex').slice(0, 32).toUpperCase() as AgentKey

const signerFrom = (privateKey: KeyObject): Signer => {
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('not an Ed25519 private key')
  const raw = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).subarray(SPKI_BEFORE_KEY.length)
  return {
    key: agentKeyOf(raw),
    publicKey: raw.toString('base64'),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  }
}

/** A new signer; the same for the same seed of 32 bytes (tests, simulations). */
export const createKeyPair = (seed?: Uint8Array): Signer =>
  seed === undefined
    ? signerFrom(generateKeyPairSync('ed25519').privateKey)
    : signerFrom(createPrivateKey({ key: Buffer.concat([PKCS8_BEFORE_SEED, seed]), format: 'der', type: 'pkcs8' }))

/** A new private key as PKCS#8 PEM, to be kept in a file that only its owner reads. */
export const newKeyPem = (): string => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

/** Throws where the text is not an Ed25519 private key (the error holds nothing of it). */
export const signerFromPem = (pem: string): Signer => signerFrom(createPrivateKey(pem))

const MAX_KEYS = 4096
const keys = new Map<string, KeyObject>()

/** Making a key object costs as much as a verification: the latest are kept. Undefined where it is no public key. */
const keyObject = (publicKey: string): KeyObject | undefined => {
  const known = keys.get(publicKey)
  if (known !== undefined) return known
  if (!isPublicKey(publicKey)) return undefined
  const key = createPublicKey({ key: Buffer.concat([SPKI_BEFORE_KEY, Buffer.from(publicKey, 'base64')]), format: 'der', type: 'spki' })
  const oldest = keys.size >= MAX_KEYS ? keys.keys().next() : undefined
  if (oldest?.done === false) keys.delete(oldest.value)
  keys.set(publicKey, key)
  return key
}

/** Base64 of 32 bytes: the form of a public key. */
export const isPublicKey = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(value)

/** Base64 of 64 bytes: the form of a signature. */
export const isSignature = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9+/]{86}==$/.test(value)

/** Whether the signature is the key's over the text. False, too, for what is no key or no signature. */
export const verify = (publicKey: string, text: string, signature: string): boolean => {
  const key = keyObject(publicKey)
  return key !== undefined && isSignature(signature) && verifySignature(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
}

/** The same on the thread pool. */
export const verifyAsync = (publicKey: string, text: string, signature: string): Promise<boolean> => {
  const key = keyObject(publicKey)
  if (key === undefined || !isSignature(signature)) return Promise.resolve(false)
  return new Promise((resolve) => {
    verifySignature(null, Buffer.from(text), key, Buffer.from(signature, 'base64'), (error, right) => resolve(error === null && right))
  })
}

/** What an agent signs of a Changes message: its head in canonical form. */
export const headText = (head: Head): string => canonical(encodeHead(head))

/** What an agent signs to show that it holds its key; the nonce is the connection's own. */
export const signInText = (nonce: string, key: AgentKey): string => `eventsync-sign-in\0${nonce}\0${key}`

/** What an agent signs to make its password for a message broker: it is checked against its enrolled key, and nobody has to store it. */
export const brokerPasswordText = (key: AgentKey): string => `eventsync-broker\0${key}`

/** What a new agent signs, so that nobody enrols a key that is not theirs. */
export const registrationProofText = (email: string, publicKey: string): string =>
  `eventsync-register\0${normalizeEmail(email)}\0${publicKey}`

/** What an enrolled agent signs to vouch for a new one of its account. */
export const countersignText = (email: string, publicKey: string): string => `eventsync-countersign\0${normalizeEmail(email)}\0${publicKey}`

/** What an agent signs as a witness of what it has seen of a folder. */
export const witnessText = (folder: FolderId, position: number, chain: string): string =>
  `eventsync-witness\0${folder}\0${position}\0${chain}`
