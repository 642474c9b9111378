import { expect, test } from 'vitest'
import { failureOf } from './s3-errors.ts'

const reasonOf = ({ error }: ReturnType<typeof failureOf>): string => ('reason' in error ? error.reason : '')

const failure = (code: string) => failureOf(Object.assign(new Error('http://key:hunter2@host'), { code }), 'a/x', 'ours')

test.each(['NoSuchKey', 'NotFound'])('%s: there is no such object', (code) =>
  expect(failure(code)).toEqual({ error: { tag: 'NotFound', name: 'a/x' }, again: false }),
)

test.each(['XMinioStorageFull', 'QuotaExceeded', 'InsufficientStorage'])('%s: no space, and no use in asking again', (code) =>
  expect(failure(code)).toMatchObject({ error: { tag: 'Full' }, again: false }),
)

test('a missing bucket is named', () => {
  expect(failure('NoSuchBucket')).toMatchObject({ error: { tag: 'Unavailable' }, again: false })
  expect(reasonOf(failure('NoSuchBucket'))).toContain('no bucket "ours"')
})

test.each(['AccessDenied', 'SignatureDoesNotMatch', 'RequestTimeTooSkewed', 'AuthorizationHeaderMalformed'])(
  '%s is said with what to look at, and not asked again',
  (code) => {
    expect(failure(code)).toMatchObject({ error: { tag: 'Unavailable' }, again: false })
    expect(reasonOf(failure(code))).toContain(`(${code})`)
  },
)

test.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'SlowDown', 'InternalError', ''])('%j may come through a moment later', (code) =>
  expect(failure(code)).toMatchObject({ error: { tag: 'Unavailable' }, again: true }),
)

test('the status of an answer that the client gave up is told', () => {
  const error = new Error('Request failed after 0 retries: Error: Retryable HTTP status: 503')
  expect(reasonOf(failureOf(error, 'x', 'b'))).toContain('(503)')
})

test('no text of the client is passed on: it may hold what is secret', () => {
  for (const code of ['', 'ECONNREFUSED', 'AccessDenied']) expect(JSON.stringify(failure(code))).not.toContain('hunter2')
})
