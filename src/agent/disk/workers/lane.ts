import type { Worker } from 'node:worker_threads'
import { createCrew, type Crew, type Pending } from './crew.ts'
import type { WorkArgs, WorkName, WorkResult } from './protocol.ts'

/**
 * Calls that a worker holds at once: one that runs, and one that can begin while this thread is busy elsewhere. What waits beyond that is
 * not copied yet (I16).
 */
const DEPTH = 2

const CLOSED = 'the disk is closed'

interface Seat {
  crew: Crew | undefined
  /** Ends a worker that has had nothing to do for a while: each costs some 25 MB. */
  idle: NodeJS.Timeout | undefined
}

/**
 * Some workers that take calls in their order, each call by whichever has least to do. They start when they are needed, and end when they
 * no longer are.
 */
export interface Lane {
  /** Rejects where the task threw (a bug), its worker stopped before the end, or the lane is closed. */
  readonly call: <Name extends WorkName>(name: Name, args: WorkArgs<Name>) => Promise<WorkResult<Name>>
  /** Rejects what waits; lets what runs come to its end only where `finish` says so. */
  readonly close: (finish: boolean) => Promise<void>
}

export const createLane = (start: () => Worker, size: number, idleMs: number): Lane => {
  const seats: Seat[] = Array.from({ length: size }, () => ({ crew: undefined, idle: undefined }))
  const waiting: Pending[] = []
  let [closed, ids] = [false, 0]
  let wakeCloser = (): void => undefined

  const leave = (seat: Seat): void => {
    const { crew } = seat
    seat.crew = undefined
    void crew?.stop('it was idle')
  }

  const rest = (seat: Seat): void => {
    clearTimeout(seat.idle)
    if (seat.crew?.load() === 0 && !closed) seat.idle = setTimeout(() => leave(seat), idleMs).unref()
  }

  const hire = (seat: Seat): Crew => {
    const crew = createCrew(
      start(),
      () => {
        next()
        rest(seat)
      },
      () => {
        if (seat.crew === crew) seat.crew = undefined
        next()
      },
    )
    return crew
  }

  const next = (): void => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const load = ({ crew }: Seat): number => crew?.load() ?? 0
      const seat = seats.reduce((least, other) => (load(other) < load(least) ? other : least))
      if (load(seat) >= DEPTH) return
      waiting.shift()
      clearTimeout(seat.idle)
      seat.crew ??= hire(seat)
      seat.crew.send(first)
    }
    wakeCloser()
  }

  const call = <Name extends WorkName>(name: Name, args: WorkArgs<Name>): Promise<WorkResult<Name>> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new Error(CLOSED))
      ids += 1
      // The worker answers a call by this name with the result of the task of this name.
      waiting.push({ id: ids, name, args, resolve: resolve as (result: unknown) => void, reject })
      next()
    })

  const busy = (): boolean => seats.some(({ crew }) => crew !== undefined && crew.load() > 0)

  const close = async (finish: boolean): Promise<void> => {
    closed = true
    for (const { reject } of waiting.splice(0)) reject(new Error(CLOSED))
    if (finish && busy()) await new Promise<void>((resolve) => (wakeCloser = () => busy() || resolve()))
    for (const { idle } of seats) clearTimeout(idle)
    await Promise.all(seats.map(async ({ crew }) => crew?.stop(CLOSED)))
  }
  return { call, close }
}
