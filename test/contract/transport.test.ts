import { describe } from 'vitest'
import { connectionContract } from './transport-connection.contract.ts'
import { selectAdapters } from './select.ts'
import { TRANSPORT_ADAPTERS } from './transport.adapters.ts'
import { sessionContract } from './transport-session.contract.ts'
import { requestContract } from './transport.contract.ts'

describe.each(selectAdapters(TRANSPORT_ADAPTERS, 'EVENTSYNC_TEST_TRANSPORT'))('transport: %s', (_, adapter) => {
  requestContract(adapter)
  sessionContract(adapter)
  connectionContract(adapter)
})
