import * as E from 'fp-ts/lib/Either.js'

/** Why this device's own state does not allow what was asked; `reason` is one plain sentence with what to do next. */
export type DeviceError =
  | { readonly tag: 'NotRegistered'; readonly reason: string }
  | { readonly tag: 'OtherAccount'; readonly reason: string }
  /** Another agent is at work on it. */
  | { readonly tag: 'Busy'; readonly reason: string }
  /** The folder can't be synced where it lies (I15). */
  | { readonly tag: 'BadFolder'; readonly reason: string }
  /** The state can't be read or written. */
  | { readonly tag: 'Unusable'; readonly reason: string }

export const deviceError = (tag: DeviceError['tag'], reason: string): E.Either<DeviceError, never> => E.left({ tag, reason })

/** Runs file operations; what the system says becomes an Unusable that names what was being done. */
export const attempt = <A>(doing: string, operation: () => A): E.Either<DeviceError, A> =>
  E.tryCatch(operation, (error): DeviceError => {
    if (!(error instanceof Error)) throw error
    return { tag: 'Unusable', reason: `cannot ${doing}: ${error.message}` }
  })
