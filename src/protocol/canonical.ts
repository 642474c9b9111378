import type { Json, JsonObject } from './json.ts'

/**
 * JSON in its one canonical form (RFC 8785): no white space, properties sorted by their UTF-16 code units, numbers and strings as
 * ECMAScript writes them. What is signed and what is hashed is always this form.
 */
export const canonical = (value: Json): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonical).join(',')}]`
  return canonicalObject(value)
}

// `Array.isArray` does not narrow readonly arrays.
const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

const canonicalObject = (value: JsonObject): string => {
  let text = ''
  // The default order is that of UTF-16 code units.
  for (const key of Object.keys(value).toSorted()) {
    const item = value[key]
    if (item === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonical(item)}`
  }
  return `{${text}}`
}
