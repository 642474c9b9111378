import type { AccountId, SignInsRefused } from '../domain/events.ts'
import type { Json } from './json.ts'
import type { Fields, Place, Reader } from './reader.ts'

/** Most addresses, and most names that were tried, of one SignInsRefused. */
export const MAX_TOLD = 8
/** Longest address that is told of. */
export const MAX_ADDRESS = 100

const MAX_REASONS = 32
const REASON = /^[A-Za-z]{1,30}$/
const TRIED = /^(?:[0-9a-f]{32}|[0-9A-F]{32})$/

/** What the same event says in an account's stream and in the gateways' own. */
export const readSignInsRefused = (reader: Reader, fields: Fields): Omit<SignInsRefused<AccountId>, 'type' | 'account'> => ({
  count: fields.integer('count', 1),
  first: fields.number('first'),
  last: fields.number('last'),
  reasons: readReasons(fields.fields('reasons')),
  addresses: fields.list('addresses', MAX_TOLD, (json, at) => readAddress(reader, json, at)),
  tried: fields.list('tried', MAX_TOLD, (json, at) => readTried(reader, json, at)),
})

const readReasons = (fields: Fields): Readonly<Record<string, number>> => {
  const names = fields.names()
  const wrong = names.length > MAX_REASONS ? names[MAX_REASONS] : names.find((name) => !REASON.test(name))
  if (wrong !== undefined) fields.fail(wrong, `must be one of at most ${MAX_REASONS} words`)
  return Object.fromEntries(names.slice(0, MAX_REASONS).map((name) => [name, fields.integer(name, 1)]))
}

const readAddress = (reader: Reader, json: Json, at: Place): string => {
  if (typeof json === 'string' && json.length <= MAX_ADDRESS) return json
  reader.fail(at, `must be a string of at most ${MAX_ADDRESS} characters`)
  return ''
}

const readTried = (reader: Reader, json: Json, at: Place): string => {
  if (typeof json === 'string' && TRIED.test(json)) return json
  reader.fail(at, "must be an agent's key or an account's id")
  return ''
}
