import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import { STATE_MARKER } from '../../domain/path.ts'
import { saveFile } from '../../lib/save-file.ts'
import type { Signer } from '../../protocol/signing.ts'
import { attempt, deviceError, type DeviceError } from './error.ts'
import { keyFile } from './key-file.ts'
import { syncedFolderAround } from './nesting.ts'
import { realPathOf } from './real-path.ts'

/** What `register` learned: who this device is, and where and with whom it keeps folders. */
export interface Enrolment {
  readonly server: string
  /** A person has allowed ws:// to another machine. */
  readonly insecure: boolean
  readonly email: string
  readonly name: string
  readonly account: AccountId
  readonly key: AgentKey
  /** The account's folder that the agent keeps. */
  readonly folder: FolderId
  /** Base64 of the gateway's public key: receipts under another one are not believed. */
  readonly gatewayKey: string
}

const FORMAT = 1

/** Makes the device's directory where it is missing, for its owner alone, and tells its real path; refuses one in a synced folder, where the key would be synced. */
export const openStateDirectory = (directory: string): E.Either<DeviceError, string> => {
  const folder = syncedFolderAround(realPathOf(directory))
  if (folder !== undefined)
    return deviceError(
      'BadFolder',
      `the state directory ${directory} lies inside ${folder}, a synced folder: move it out, or give it another place with --state`,
    )
  return attempt(`use the state directory ${directory}`, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const marker = join(directory, STATE_MARKER)
    if (!existsSync(marker)) saveFile(marker, `${JSON.stringify({ format: FORMAT })}\n`)
    return realpathSync(directory)
  })
}

const enrolmentFile = (state: string): string => join(state, 'device.json')

/** This device's key, made the first time. */
export const deviceKey = (state: string): E.Either<DeviceError, Signer> => keyFile(join(state, 'key.pem'))

export const isEnrolled = (state: string): boolean => existsSync(enrolmentFile(state))

export const readEnrolment = (state: string): E.Either<DeviceError, Enrolment> => {
  if (!isEnrolled(state))
    return deviceError(
      'NotRegistered',
      `this device is not registered (nothing in ${state}): run 'eventsync register EMAIL --server URL' first`,
    )
  const file = enrolmentFile(state)
  return E.Monad.chain(
    attempt(`read ${file}`, () => parseEnrolment(readFileSync(file, 'utf8'))),
    (enrolment) =>
      enrolment === undefined
        ? deviceError('Unusable', `${file} is damaged or of a newer version: restore it, or register anew with another --state`)
        : E.right(enrolment),
  )
}

export const saveEnrolment = (state: string, enrolment: Enrolment): E.Either<DeviceError, void> =>
  attempt(`write ${enrolmentFile(state)}`, () =>
    saveFile(enrolmentFile(state), `${JSON.stringify({ format: FORMAT, ...enrolment }, null, 2)}\n`),
  )

const TEXTS = ['server', 'email', 'name', 'account', 'key', 'folder', 'gatewayKey'] as const

const parseEnrolment = (text: string): Enrolment | undefined => {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT) return undefined
  const fields = new Map<string, unknown>(Object.entries(value))
  if (!TEXTS.every((name) => typeof fields.get(name) === 'string')) return undefined
  // Every field of Enrolment has just been checked, and only saveEnrolment writes the file.
  return {
    ...Object.fromEntries(TEXTS.map((name) => [name, fields.get(name)])),
    insecure: fields.get('insecure') === true,
  } as unknown as Enrolment
}
