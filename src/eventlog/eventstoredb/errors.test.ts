import { describe, expect, it } from 'vitest'
import { appendError, ReadDeadline, readError } from './errors.ts'

/** What the client throws. */
const thrown = (fields: object, message = 'as the server words it'): Error => Object.assign(new Error(message), fields)

describe('a failed append', () => {
  it.each([
    [7n, 7],
    ['no_stream', 'none'],
  ])('is a conflict where the stream is elsewhere, at %s', (actualVersion, actual) => {
    expect(appendError(thrown({ type: 'wrong-expected-version', actualVersion }, ''))).toEqual({ tag: 'Conflict', actual })
  })

  it.each<[string, Error, string]>([
    ['the server is going down', thrown({ type: 'unavailable', code: 14 }), 'OutcomeUnknown'],
    ['gRPC says so itself', thrown({ code: 14 }), 'OutcomeUnknown'],
    ['the stream was reset', thrown({ type: 'unknown', code: 13 }), 'OutcomeUnknown'],
    ['the call was cancelled', thrown({ type: 'cancelled', code: 1 }), 'OutcomeUnknown'],
    ['the deadline passed', thrown({ type: 'deadline-exceeded', code: 4 }), 'OutcomeUnknown'],
    ['the server timed out', thrown({ type: 'timeout', code: 10 }), 'OutcomeUnknown'],
    ['the server is not ready, without a code', thrown({ type: 'unknown' }, 'Server Is Not Ready'), 'OutcomeUnknown'],
    ['another node leads', thrown({ type: 'not-leader', code: 5 }), 'OutcomeUnknown'],
    ['nothing is known of it', new Error('what?'), 'OutcomeUnknown'],
    [
      'it was never sent',
      thrown({ code: 14 }, '14 UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED'),
      'Unavailable',
    ],
    ['the password is wrong', thrown({ type: 'access-denied', code: 16 }), 'Refused'],
    ['the user may not', thrown({ code: 7 }), 'Refused'],
    ['it is too large', thrown({ type: 'maximum-append-size-exceeded', code: 3 }), 'Refused'],
    ['the stream is deleted for good', thrown({ type: 'stream-deleted', code: 9 }), 'Refused'],
    ['it is larger than a message', thrown({ type: 'unknown', code: 8 }), 'Refused'],
  ])('where %s', (_, error, tag) => {
    const failure = appendError(error)
    expect(failure.tag).toBe(tag)
    expect('reason' in failure && failure.reason).toMatch(/^the event log's server: ./)
  })
})

describe('a failed read', () => {
  it('is an answer where there is no such stream', () => {
    expect(readError(thrown({ type: 'stream-not-found', code: 5 }))).toBe('absent')
  })

  it.each([
    new ReadDeadline(10),
    thrown({ code: 14 }),
    thrown({ type: 'access-denied', code: 16 }),
    thrown({ type: 'stream-deleted' }, ''),
  ])('says in words why nothing can be read: %s', (error) => {
    const failure = readError(error)
    expect(failure !== 'absent' && failure.reason).toMatch(/^the event log's server: ./)
  })
})
