import type { Json, JsonObject } from './json.ts'

/**
 * JSON in its one canonical form (RFC 8785): no white space, properties sorted by their UTF-16 code units, numbers and strings as
 * ECMAScript writes them. What is signed and what is hashed is always this form.
 */
export const canonical = (value: Json): string => (isInOrder(value) ? JSON.stringify(value) : sorted(value))

/** Whether all properties stand in their order already, as in what was read from canonical JSON: then one native call writes it. */
const isInOrder = (value: Json): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (isList(value)) return value.every(isInOrder)
  let last = ''
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (key < last || item === undefined || !isInOrder(item)) return false
    last = key
  }
  return true
}

const sorted = (value: Json): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(sorted).join(',')}]`
  return sortedObject(value)
}

// `Array.isArray` does not narrow readonly arrays.
const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

const sortedObject = (value: JsonObject): string => {
  let text = ''
  // The default order is that of UTF-16 code units.
  for (const key of Object.keys(value).toSorted()) {
    const item = value[key]
    if (item === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${sorted(item)}`
  }
  return `{${text}}`
}
