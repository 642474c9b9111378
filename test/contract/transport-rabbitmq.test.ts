import { describe } from 'vitest'
import { serverFor } from '../support/servers/server.ts'
import { rabbitFixture } from './transport-rabbitmq.ts'
import { requestContract } from './transport.contract.ts'

const server = await serverFor('rabbitmq')

describe.skipIf(server === undefined)('transport: rabbitmq', () => requestContract({ create: (clock) => rabbitFixture(server ?? '', clock) }))
