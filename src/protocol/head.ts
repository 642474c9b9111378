import { isHash, type Hash } from '../domain/content.ts'
import type { AgentKey } from '../domain/events.ts'
import type { JsonObject } from './json.ts'
import { MAX_CHANGES, type Head } from './messages.ts'
import type { Fields } from './reader.ts'

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

/** Reads a head; `agent` is found elsewhere in a message, and under `Agent` in an event. */
export const readHead = (fields: Fields, agent: AgentKey): Head => {
  if (fields.raw('Format') !== 1) fields.fail('Format', 'must be 1')
  return {
    version: 1,
    folder: fields.folder('Folder'),
    agent,
    epoch: fields.matching('Epoch', /^[0-9a-f]{16}$/, 'must be 16 lower-case hex digits'),
    number: fields.integer('Number'),
    count: fields.integer('Count', 1, MAX_CHANGES),
    root: fields.hash('Root'),
    previous: readHashOrNothing(fields, 'Previous'),
    position: fields.integer('Position', -1),
    chain: readHashOrNothing(fields, 'Chain'),
  }
}

/** A hash, or '' where there is none yet. */
export const readHashOrNothing = (fields: Fields, field: string): Hash | '' => {
  const value = fields.raw(field)
  if (value === '' || isHash(value)) return value
  fields.fail(field, value === undefined ? 'is missing' : 'must be 64 lower-case hex digits, or empty')
  return ''
}
