import { existsSync, readFileSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { saveFile } from '../../lib/save-file.ts'
import { newKeyPem, signerFromPem, type Signer } from '../../protocol/signing.ts'
import { attempt, deviceError, type DeviceError } from './error.ts'

/** The private key in a file, made and made durable the first time; refused where others could read it. */
export const keyFile = (file: string): E.Either<DeviceError, Signer> => {
  if (!existsSync(file)) return attempt(`write the key ${file}`, () => makeKey(file))
  return E.Monad.chain(
    attempt(`read the key ${file}`, () => statSync(file).mode & 0o077),
    (open) =>
      open === 0
        ? attempt(`read the key ${file}`, () => signerFromPem(readFileSync(file, 'utf8')))
        : deviceError(
            'Unusable',
            `the key ${file} can be read by others: run 'chmod 600 ${file}', or make a new one if it may have been copied`,
          ),
  )
}

const makeKey = (file: string): Signer => {
  const pem = newKeyPem()
  saveFile(file, pem)
  return signerFromPem(pem)
}
