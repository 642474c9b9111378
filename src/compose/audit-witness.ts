import { existsSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { rememberedWitness } from '../agent/index/remembered-witness.ts'
import { deviceConfig, type Environment, type Settings } from '../config.ts'
import { isHash } from '../domain/content.ts'
import { systemClock } from '../lib/clock.ts'
import { witnessPage } from '../protocol/folder-witness.ts'
import { openDevice } from './account.ts'
import { fail, fromConfig, type Outcome } from './failure.ts'
import { oneFolder } from './folders.ts'

/** This device's signed word on what it has seen of a folder's log, with the gateway's latest receipt: no gateway is asked. */
export const deviceWitness = (settings: Settings, env: Environment, wanted: string | undefined): Outcome<string> => {
  const config = fromConfig(deviceConfig(settings, env))
  if (E.isLeft(config)) return config
  const local = oneFolder(config.right.state, wanted)
  if (E.isLeft(local)) return local
  const device = openDevice(config.right.state)
  if (E.isLeft(device)) return device
  const { enrolment, signer } = device.right
  const { index, path } = local.right
  const seen = existsSync(index) ? rememberedWitness(index) : undefined
  if (seen === undefined) return fail('failed', `the agent of ${path} has not seen anything of the log yet: start it, and ask again`)
  const { position, chain, receipt } = seen
  if (!isHash(chain)) return fail('damaged', `the index of ${path} holds a chain that is none: let the agent make it anew`)
  const time = new Date(systemClock.wall()).toISOString()
  return E.right(witnessPage({ folder: enrolment.folder, position, chain, time, gatewayKey: enrolment.gatewayKey, receipt }, signer))
}
