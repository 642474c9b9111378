import { describe } from 'vitest'
import { STORE_ADAPTERS } from './objectstore.adapters.ts'
import { objectStoreContract } from './objectstore.contract.ts'
import { selectAdapters } from './select.ts'

describe.each(selectAdapters(STORE_ADAPTERS, 'EVENTSYNC_TEST_OBJECTSTORE'))('object store: %s', (_, adapter) =>
  objectStoreContract(adapter),
)
