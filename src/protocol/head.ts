import type { JsonObject } from './json.ts'
import type { Head } from './messages.ts'

/** A head with its names on the wire: the form whose canonical JSON is signed, and that the first event of an append keeps. */
export const encodeHead = (head: Head): JsonObject => ({
  Agent: head.agent,
  Chain: head.chain,
  Count: head.count,
  Epoch: head.epoch,
  Folder: head.folder,
  Format: head.version,
  Number: head.number,
  Position: head.position,
  Previous: head.previous,
  Root: head.root,
})
