/** How long a stop may take before the process ends anyway. */
const LAST_RESORT_MS = 30_000

/**
 * Aborts at the first SIGTERM or SIGINT, or when the process that started this one over an IPC channel is gone. Further signals
 * change nothing: the stop is under way, and bounded.
 */
export const stopSignal = (): AbortSignal => {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) return
    controller.abort()
    setTimeout(() => process.exit(1), LAST_RESORT_MS).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop)
  process.once('disconnect', stop)
  process.channel?.unref()
  return controller.signal
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
