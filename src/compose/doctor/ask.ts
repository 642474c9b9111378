import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { text } from 'node:stream/consumers'
import * as E from 'fp-ts/lib/Either.js'
import { codeOf } from './check.ts'

export interface Asked {
  readonly status: number
  readonly date: string | undefined
  readonly server: string | undefined
  readonly body: string
}

export interface Asking {
  readonly ca?: string
  readonly authorization?: string
  /** Only of this machine's own gateway, whose certificate is for the names that devices use. */
  readonly anyCertificate?: boolean
}

const PATIENCE_MS = 5000

/** GET; a left is the code of what went wrong. The address must not hold credentials. */
export const ask = (url: string, { ca, authorization, anyCertificate = false }: Asking = {}): Promise<E.Either<string, Asked>> =>
  new Promise((resolve) => {
    const request = (url.startsWith('https:') ? secure : plain)(url, {
      timeout: PATIENCE_MS,
      rejectUnauthorized: !anyCertificate,
      ...(ca === undefined ? {} : { ca }),
      headers: authorization === undefined ? {} : { authorization },
    })
    request.on('response', (response) => {
      const { statusCode = 0, headers } = response
      const asked = (body: string): E.Either<string, Asked> =>
        E.right({ status: statusCode, date: headers.date, server: headers['server']?.toString(), body })
      text(response).then(
        (body) => resolve(asked(body)),
        (error: unknown) => resolve(E.left(codeOf(error))),
      )
    })
    request.on('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })))
    request.on('error', (error) => resolve(E.left(codeOf(error))))
    request.end()
  })

/** The members of an answer that is a JSON object; none where it is not. */
export const membersOf = (body: string): Readonly<Record<string, unknown>> => {
  const value = E.tryCatch(
    (): unknown => JSON.parse(body),
    () => undefined,
  )
  return E.isRight(value) && typeof value.right === 'object' && value.right !== null ? { ...value.right } : {}
}
