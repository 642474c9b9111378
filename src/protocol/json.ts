/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** The value that a text is JSON of, or undefined where it is none. */
export const parseJson = (text: string): Json | undefined => {
  try {
    // JSON.parse gives nothing but JSON.
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
