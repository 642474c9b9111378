import type { Failure } from '../failure.ts'

/** One thing that was looked at. No text of it holds a secret. */
export interface Check {
  /** Which part: `data`, `log`, `store`, `queue`, `gateway`. */
  readonly part: string
  /** What was looked at, in a word or two. */
  readonly what: string
  readonly state: 'ok' | 'warning' | 'failed'
  /** What was found. */
  readonly found: string
  /** What to do about it; '' where all is well. */
  readonly todo: string
  /** Of what kind a failure is. */
  readonly kind?: Failure['kind']
}

/** The checks of one part, under its name. */
export const checker = (part: string) => ({
  ok: (what: string, found: string): Check => ({ part, what, state: 'ok', found, todo: '' }),
  warning: (what: string, found: string, todo: string): Check => ({ part, what, state: 'warning', found, todo }),
  failed: (kind: Failure['kind'], what: string, found: string, todo: string): Check => ({ part, what, state: 'failed', found, todo, kind }),
})

/** Node's code of what went wrong (`ECONNREFUSED`); never its text, which may hold an address with a password in it. */
export const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'no answer')
