/** Requests that are begun and not yet answered. */
export interface UnderWay {
  /** Undefined once closed; otherwise how to say that the request is answered. */
  readonly begin: () => (() => void) | undefined
  readonly close: () => Promise<void>
  readonly isClosed: () => boolean
}

export const createUnderWay = (): UnderWay => {
  let count = 0
  let closed = false
  let empty: () => void = () => undefined
  const drained = new Promise<void>((resolve) => (empty = resolve))
  return {
    begin: () => {
      if (closed) return undefined
      count += 1
      return () => {
        count -= 1
        if (closed && count === 0) empty()
      }
    },
    close: () => {
      closed = true
      if (count === 0) empty()
      return drained
    },
    isClosed: () => closed,
  }
}
