import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import type { HistoryEvent } from '../../compose/audit.ts'
import { fail, type Outcome } from '../../compose/failure.ts'
import { walk, type Key } from './step.ts'

async function* events(...all: readonly Outcome<number>[]): AsyncGenerator<Outcome<HistoryEvent>> {
  // Only its revision is looked at here.
  for (const each of all) yield E.map((revision: number) => ({ revision }) as HistoryEvent)(each)
}

const walking = async (given: AsyncIterable<Outcome<HistoryEvent>>, keys: readonly Key[]) => {
  const shown: number[] = []
  const left = [...keys]
  const ended = await walk(
    given,
    ({ revision }) => shown.push(revision),
    async () => left.shift() ?? 'quit',
  )
  return { shown, ended }
}

describe('walking through events', () => {
  it('shows the first at once, each other one when it is asked for, and ends after the last', async () => {
    expect(await walking(events(E.right(0), E.right(1), E.right(2)), ['next', 'next'])).toEqual({ shown: [0, 1, 2], ended: E.right('end') })
  })

  it('ends when told to, and shows nothing more', async () => {
    expect(await walking(events(E.right(0), E.right(1), E.right(2)), ['next', 'quit'])).toEqual({ shown: [0, 1], ended: E.right('quit') })
  })

  it('ends at an event that cannot be read, and says so', async () => {
    const broken = fail('damaged', 'event 1 cannot be read')
    expect(await walking(events(E.right(0), broken), ['next'])).toEqual({ shown: [0], ended: broken })
  })
})
