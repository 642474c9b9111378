import { describe } from 'vitest'
import { blobStoreContract } from './blobstore.contract.ts'
import { STORE_ADAPTERS } from './objectstore.adapters.ts'
import { selectAdapters } from './select.ts'

describe.each(selectAdapters(STORE_ADAPTERS, 'EVENTSYNC_TEST_OBJECTSTORE'))('blob store over: %s', (_, adapter) =>
  blobStoreContract(adapter),
)
