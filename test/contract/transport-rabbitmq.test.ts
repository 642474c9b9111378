import type { Clock } from '../../src/lib/clock.ts'
import { describe } from 'vitest'
import { serverFor } from '../support/servers/server.ts'
import { rabbitFixture } from './transport-rabbitmq.ts'
import { sessionContract } from './transport-session.contract.ts'
import { requestContract } from './transport.contract.ts'

const server = await serverFor('rabbitmq')

describe.skipIf(server === undefined)('transport: rabbitmq', () => {
  const adapter = { create: (clock: Clock) => rabbitFixture(server ?? '', clock) }
  requestContract(adapter)
  sessionContract(adapter)
})
