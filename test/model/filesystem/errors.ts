/** An error as node:fs throws it. */
export class SystemError extends Error {
  readonly code: string
  constructor(code: string, call: string, path: string) {
    super(`${code}: ${call} '${path}'`)
    this.code = code
  }
}

export const fail = (code: string, call: string, path: string): never => {
  // Most of them are expected, and a stack costs more than the call.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new SystemError(code, call, path)
  Error.stackTraceLimit = stackTraceLimit
  throw error
}

/** The device's process dies inside this call: nothing after it runs. It has no `code`, so that nobody takes it for a failed call. */
export class CrashSignal extends Error {
  constructor() {
    super('the simulated process was killed')
  }
}
