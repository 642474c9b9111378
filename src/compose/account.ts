import * as E from 'fp-ts/lib/Either.js'
import { isEnrolled, readEnrolment, saveEnrolment, deviceKey, openStateDirectory, type Enrolment } from '../agent/device/identity.ts'
import type { AccountId } from '../domain/events.ts'
import { normalizeEmail } from '../protocol/event-ids.ts'
import type { AgentInfo, Request } from '../protocol/messages.ts'
import { registrationProofText, type Signer } from '../protocol/signing.ts'
import { call } from './calls.ts'
import { connect } from './connect.ts'
import { fail, fromDevice, type Outcome } from './failure.ts'

export interface Credentials {
  readonly server: string
  readonly email: string
  readonly password: string
}

/** Makes an account. */
export const signUp = async ({ server, email, password }: Credentials): Promise<Outcome> => {
  await using transport = await connect(server, undefined)
  return E.map(() => undefined)(await call(transport, server, { tag: 'RegisterUser', email, password }))
}

/**
 * Enrols this device's key with an account, and remembers where. A device that is enrolled already is asked for again (so the answer shows that it still is), but never moved to another
 * account or gateway: that would mix two logs.
 */
export const enrol = async (
  state: string,
  as: Credentials & { readonly name: string; readonly insecure: boolean },
): Promise<Outcome<Enrolment>> => {
  const directory = fromDevice(openStateDirectory(state))
  if (E.isLeft(directory)) return directory
  const before = isEnrolled(directory.right) ? fromDevice(readEnrolment(directory.right)) : E.right(undefined)
  if (E.isLeft(before)) return before
  const other = before.right === undefined ? undefined : elsewhere(before.right, as, directory.right)
  if (other !== undefined) return other
  const signer = fromDevice(deviceKey(directory.right))
  if (E.isLeft(signer)) return signer
  const made = await register(signer.right, as, before.right)
  if (E.isLeft(made) || before.right !== undefined) return made
  return E.map(() => made.right)(fromDevice(saveEnrolment(directory.right, made.right)))
}

const elsewhere = (before: Enrolment, as: Credentials, state: string): Outcome<never> | undefined =>
  normalizeEmail(before.email) === normalizeEmail(as.email) && before.server === as.server
    ? undefined
    : fail(
        'usage',
        `this device is registered with ${before.email} at ${before.server} already: give another account a state directory of its own (--state), not ${state}`,
      )

const register = async (
  signer: Signer,
  as: Credentials & { readonly name: string; readonly insecure: boolean },
  before: Enrolment | undefined,
): Promise<Outcome<Enrolment>> => {
  const { server, email, password } = as
  const name = before?.name ?? as.name
  await using transport = await connect(server, undefined)
  const proof = signer.sign(registrationProofText(email, signer.publicKey))
  const request: Request = {
    tag: 'RegisterAgent',
    key: signer.key,
    email,
    password,
    name,
    publicKey: signer.publicKey,
    proof,
    vouchedBy: undefined,
    countersignature: undefined,
  }
  const answer = await call(transport, server, request)
  if (E.isLeft(answer)) return answer
  if (answer.right.tag !== 'Registered') return fail('failed', `${server} did not say which folder this device may keep`)
  const { account, folder, gatewayKey } = answer.right
  if (before !== undefined && before.gatewayKey !== gatewayKey)
    return fail('refused', `${server} is not the gateway that this device was registered with: its key is another one`)
  // The gateway names accounts by their id.
  return E.right({ server, insecure: as.insecure, email, name, account: account as AccountId, key: signer.key, folder, gatewayKey })
}

/** This device as it is enrolled, and its key. */
export interface Device {
  /** The real path of its state directory. */
  readonly state: string
  readonly enrolment: Enrolment
  readonly signer: Signer
}

export const openDevice = (state: string): Outcome<Device> =>
  E.Monad.chain(fromDevice(openStateDirectory(state)), (directory) =>
    E.Monad.chain(fromDevice(readEnrolment(directory)), (enrolment) =>
      E.Monad.map(fromDevice(deviceKey(directory)), (signer) => ({ state: directory, enrolment, signer })),
    ),
  )

const ask = async ({ enrolment, signer }: Device, request: Request): Promise<Outcome<readonly AgentInfo[]>> => {
  await using transport = await connect(enrolment.server, signer)
  const answer = await call(transport, enrolment.server, request)
  return E.Monad.map(answer, (granted) => (granted.tag === 'AgentList' ? granted.agents : []))
}

/** All devices of this device's account. */
export const agentsOf = (device: Device): Promise<Outcome<readonly AgentInfo[]>> => ask(device, { tag: 'Agents', key: device.signer.key })

/** The one agent of the account that a person names by its key, the beginning of it, or its name. */
const find = async (device: Device, wanted: string): Promise<Outcome<AgentInfo>> => {
  const agents = await agentsOf(device)
  if (E.isLeft(agents)) return agents
  const named = agents.right.filter(({ key, name, revoked }) => key === wanted.toUpperCase() || (name === wanted && !revoked))
  const [found, another] =
    named.length > 0 ? named : agents.right.filter(({ key }) => wanted.length >= 4 && key.startsWith(wanted.toUpperCase()))
  if (found === undefined) return fail('failed', `no agent of this account is called ${wanted}: 'eventsync agents' lists them`)
  return another === undefined ? E.right(found) : fail('failed', `more than one agent is called ${wanted}: name it by its key`)
}

export const renameAgent = async (device: Device, wanted: string, name: string): Promise<Outcome<AgentInfo>> => {
  const agent = await find(device, wanted)
  if (E.isLeft(agent)) return agent
  return E.map(() => agent.right)(await ask(device, { tag: 'RenameAgent', key: device.signer.key, target: agent.right.key, name }))
}

export const revokeAgent = async (device: Device, wanted: string, reason: string): Promise<Outcome<AgentInfo>> => {
  const agent = await find(device, wanted)
  if (E.isLeft(agent)) return agent
  return E.map(() => agent.right)(await ask(device, { tag: 'RevokeAgent', key: device.signer.key, target: agent.right.key, reason }))
}
