import { hash } from 'node:crypto'
import type { Hash } from '../domain/content.ts'

/** SHA-256 of bytes, or of a text's UTF-8, in lower-case hex. */
// The digest's hex form is a Hash.
export const sha256 = (bytes: Uint8Array | string): Hash => hash('sha256', bytes, 'hex') as Hash

/** The same as a text of 32 characters, one for each byte: a buffer of its own for each costs more than the hash. */
export const sha256Binary = (bytes: Uint8Array | string): string => hash('sha256', bytes, 'binary')

/** The same as 32 bytes. */
export const sha256Bytes = (bytes: Uint8Array | string): Buffer => hash('sha256', bytes, 'buffer')
