/** Which names a simulated file system takes for the same. It always keeps the name as it was written. */
export type Folding = 'exact' | 'case' | 'unicode' | 'caseAndUnicode'

const KEYS: { readonly [folding in Folding]: (name: string) => string } = {
  exact: (name) => name,
  case: (name) => name.toLowerCase(),
  unicode: (name) => name.normalize('NFC'),
  caseAndUnicode: (name) => name.normalize('NFC').toLowerCase(),
}

export const keyOf = (folding: Folding): ((name: string) => string) => KEYS[folding]

export const MAX_NAME_BYTES = 255

/** A lone surrogate stands for bytes that are not UTF-8. */
export const isUtf8 = (name: string): boolean => name.isWellFormed()

/** How a name that is not UTF-8 is shown. */
export const escaped = (name: string): string =>
  name.replace(/[\ud800-\udfff]/g, (unit) => `\\x${(unit.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`)
