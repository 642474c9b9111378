import { describe } from 'vitest'
import { LOG_ADAPTERS } from './eventlog.adapters.ts'
import { eventLogContract } from './eventlog.contract.ts'
import { subscriptionContract } from './eventlog-subscription.contract.ts'
import { selectAdapters } from './select.ts'

describe.each(selectAdapters(LOG_ADAPTERS, 'EVENTSYNC_TEST_EVENTLOG'))('event log: %s', (_, adapter) => {
  eventLogContract(adapter)
  describe('subscribe', () => subscriptionContract(adapter))
})
