/** An error as node:fs throws it. */
export class SystemError extends Error {
  readonly code: string
  constructor(code: string, call: string, path: string) {
    super(`${code}: ${call} '${path}'`)
    this.code = code
  }
}

export const fail = (code: string, call: string, path: string): never => {
  throw new SystemError(code, call, path)
}

/** The device's process dies inside this call: nothing after it runs. It has no `code`, so that nobody takes it for a failed call. */
export class CrashSignal extends Error {
  constructor() {
    super('the simulated process was killed')
  }
}
