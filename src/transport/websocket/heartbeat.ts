import type { Sockets } from './socket.ts'

const BEAT_MS = 10_000
/** So many beats without a byte leaving, while some wait to: the peer does not read. */
const STALLED_BEATS = 3

/**
 * Pings every 10 s until the signal aborts, and calls `dead` when nothing was heard of the peer for `patience` beats, or when it reads nothing of
 * what is sent. Anything received counts as a sign of life, since a pong may have to wait behind megabytes. What a paused socket does not read is no sign of death.
 */
export const keepAlive = async (
  { socket, wire, clock }: Sockets,
  patience: number,
  signal: AbortSignal,
  dead: (reason: string) => void,
): Promise<void> => {
  const left = (): number => wire.bytesWritten - wire.writableLength - underWay(wire)
  let [heard, silent, sent, stalled] = [wire.bytesRead, 0, left(), 0]
  for (;;) {
    await clock.sleep(BEAT_MS, signal)
    if (signal.aborted) return
    silent = socket.isPaused || wire.bytesRead !== heard ? 0 : silent + 1
    stalled = socket.bufferedAmount > 0 && left() === sent ? stalled + 1 : 0
    heard = wire.bytesRead
    sent = left()
    if (silent >= patience) return dead(`Nothing was heard for ${(silent * BEAT_MS) / 1000} s.`)
    if (stalled >= STALLED_BEATS) return dead('The peer does not read what it is sent.')
    socket.ping()
  }
}

/**
 * Bytes of the write under way that the kernel has not taken. Node counts a write of megabytes as left only when all of it has: a slow peer that
 * reads would look stalled. It watches the handle's own count for its timeouts, but offers no other way to it.
 */
const underWay = (wire: object): number => {
  const handle: unknown = Reflect.get(wire, '_handle')
  const size: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'writeQueueSize') : undefined
  return typeof size === 'number' ? size : 0
}
