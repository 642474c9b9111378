import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { signerFromPem, type Signer } from '../protocol/signing.ts'
import { fail, type Outcome } from './failure.ts'

/** The key of the gateway whose data directory this is; nothing is made. */
export const gatewaySigner = (directory: string): Outcome<Signer> => {
  const file = join(directory, 'gateway.pem')
  if (!existsSync(file)) return fail('failed', `the gateway's key ${file} is not there: run this on the gateway's machine, as its user`)
  return E.tryCatch(
    () => signerFromPem(readFileSync(file, 'utf8')),
    (error) => ({ kind: 'failed', reason: `the gateway's key ${file} cannot be used: ${error instanceof Error ? error.message : ''}` }),
  )
}
