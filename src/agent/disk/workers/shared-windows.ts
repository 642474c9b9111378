import type { MessagePort } from 'node:worker_threads'
import { CHUNK_MAX, type Chunk } from '../../../domain/content.ts'
import type { SyncPath } from '../../../domain/path.ts'
import type { Windows } from '../file-chunks.ts'
import type { Reading, TakeChunk } from '../port.ts'
import { readWithin } from '../read.ts'
import type { Session } from '../session.ts'

/** Two windows in memory that both threads see, used in turn: one is read into while what the other holds is taken (I16). */
const WINDOW = 3 * CHUNK_MAX
const COUNTERS = 8

/** How long the reading waits for chunks to be taken before it goes on without giving any more away. */
const PATIENCE_MS = 5_000

/** Where the two threads meet: for each window the number of its chunks that have been taken, and the way to tell of more. */
export interface Meeting {
  readonly memory: SharedArrayBuffer
  readonly port: MessagePort
}

/** A chunk in one of the windows. */
interface Shown {
  readonly chunk: Chunk
  readonly window: number
  readonly start: number
}

export const sharedMemory = (): SharedArrayBuffer => new SharedArrayBuffer(COUNTERS + 2 * WINDOW)

const windowOf = (memory: SharedArrayBuffer, window: number): Uint8Array => new Uint8Array(memory, COUNTERS + window * WINDOW, WINDOW)
const countersOf = (memory: SharedArrayBuffer): Int32Array => new Int32Array(memory, 0, 2)

/** In the worker: windows whose chunks are shown to the other thread, and not overwritten before they were taken. */
const shownWindows = ({ memory, port }: Meeting): Windows => {
  const taken = countersOf(memory)
  const shown = [0, 0]
  let window = 1
  let own: Uint8Array | undefined
  const allTaken = (of: number): boolean => {
    const deadline = Date.now() + PATIENCE_MS
    for (let count = Atomics.load(taken, of); count < (shown[of] ?? 0); count = Atomics.load(taken, of))
      if (Atomics.wait(taken, of, count, deadline - Date.now()) === 'timed-out') return false
    return true
  }
  return {
    next: () => {
      if (own !== undefined) return own
      window = 1 - window
      return allTaken(window) ? windowOf(memory, window) : (own = new Uint8Array(WINDOW))
    },
    found: (chunk, start) => {
      if (own !== undefined) return
      shown[window] = (shown[window] ?? 0) + 1
      port.postMessage({ chunk, window, start } satisfies Shown)
    },
  }
}

/** Reads one file, and shows its chunks to the other thread meanwhile. */
export const readShown = (session: Session, path: SyncPath, like: readonly Chunk[], meeting: Meeting): readonly Reading[] => {
  try {
    return readWithin(session, [path], Infinity, { like, windows: shownWindows(meeting) }).flatMap((reading) =>
      reading.tag === 'large' ? [] : [reading],
    )
  } finally {
    meeting.port.close()
  }
}

/** In the thread that asked: hands on what the worker shows, and says when it was taken. Never rejects. */
export const takeShown = ({ memory, port }: Meeting, take: TakeChunk): void => {
  const taken = countersOf(memory)
  port.on('message', ({ chunk, window, start }: Shown) => {
    const done = (): void => {
      Atomics.add(taken, window, 1)
      Atomics.notify(taken, window)
    }
    take(chunk, windowOf(memory, window).subarray(start, start + chunk.size)).then(done, done)
  })
}
