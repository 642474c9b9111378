import { certificateTrouble } from '../../lib/certificate-trouble.ts'
import type { StoreError } from '../port.ts'

/** What a failed request means to its caller, and whether the same one may come through a moment later. */
export interface Failure {
  readonly error: StoreError
  readonly again: boolean
}

const FULL = new Set([
  'XMinioStorageFull',
  'InsufficientStorage',
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'ServiceUnavailableStorageFull',
])
const ABSENT = new Set(['NoSuchKey', 'NotFound'])
const REFUSED: Readonly<Record<string, string>> = {
  AccessDenied: 'it refuses these credentials this (AccessDenied): check the key, its secret and what they allow',
  InvalidAccessKeyId: 'it does not know this access key (InvalidAccessKeyId)',
  SignatureDoesNotMatch: 'the secret does not fit the access key, or the region is another (SignatureDoesNotMatch)',
  AuthorizationHeaderMalformed: 'the region is another one (AuthorizationHeaderMalformed): name it as ?region=',
  RequestTimeTooSkewed: "its clock and this machine's are too far apart (RequestTimeTooSkewed)",
  ExpiredToken: 'the session token is too old (ExpiredToken)',
  MovedPermanently: 'the bucket is served elsewhere (MovedPermanently): name its region or server',
  PermanentRedirect: 'the bucket is served elsewhere (PermanentRedirect): name its region or server',
  InvalidBucketName: 'it does not take this name of a bucket (InvalidBucketName)',
}

const textOf = (error: unknown, key: string): string => {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined
  return typeof value === 'string' ? value : ''
}

/** The server's code (`NoSuchKey`), or the system's (`ECONNREFUSED`); empty where there is none. */
export const codeOf = (error: unknown): string => textOf(error, 'code')

/** The client's own text of a 5xx answer that it did not try again. */
const statusOf = (error: unknown): string => /HTTP status: (\d{3})/.exec(textOf(error, 'message'))?.[1] ?? ''

const unavailable = (reason: string, again: boolean): Failure => ({ error: { tag: 'Unavailable', reason }, again })

/**
 * The server's and the network's errors, translated once. No text of the client's is passed on whole: it may hold the address with its
 * credentials in it.
 */
export const failureOf = (error: unknown, name: string, bucket: string): Failure => {
  const code = codeOf(error)
  if (ABSENT.has(code)) return { error: { tag: 'NotFound', name }, again: false }
  if (code === 'InvalidRange') return { error: { tag: 'Damaged', name, reason: 'shorter than its range' }, again: false }
  if (FULL.has(code)) return { error: { tag: 'Full', reason: `no space in the object store (${code})` }, again: false }
  if (code === 'NoSuchBucket')
    return unavailable(`the object store has no bucket "${bucket}" any more: make it again from a backup, or restart the gateway`, false)
  const refused = REFUSED[code]
  if (refused !== undefined) return unavailable(`the object store does not serve us: ${refused}`, false)
  const trouble = certificateTrouble(`${code} ${textOf(error, 'message')}`, 'NODE_EXTRA_CA_CERTS')
  if (trouble !== undefined) return unavailable(`the object store cannot be trusted: ${trouble}`, false)
  const why = code === '' ? statusOf(error) : code
  return unavailable(`the object store cannot be reached or does not answer${why === '' ? '' : ` (${why})`}`, true)
}
