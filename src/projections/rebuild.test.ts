import type { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { enrol, gatewayWorld } from '../../test/support/gateway.ts'
import { anyStep, play } from '../../test/support/random-steps.ts'
import { createMemoryLog, createMemoryStorage } from '../eventlog/memory.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { followToEnd } from './follow/runner.ts'
import { logSource } from './follow/sources.ts'
import { openFollowTables } from './follow/write.ts'

/** Every row of every table, but for numbers that stand for names, and the checkpoints. */
const dump = (db: DatabaseSync): Record<string, unknown> => {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%checkpoint%' ORDER BY name").all()
  return Object.fromEntries(
    tables.map(({ name }) => {
      const rows = db
        .prepare(`SELECT * FROM ${String(name)}`)
        .all()
        .map((row) => JSON.stringify(row))
      return [String(name), rows.toSorted()]
    }),
  )
}

describe('the projections', () => {
  it('I7: folded again from the log they are equal, row by row', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const world = await gatewayWorld()
        await play(world, steps)
        const { gateway } = world
        const again = await world.another()
        expect(dump(again.stateDatabase)).toEqual(dump(gateway.stateDatabase))
        expect(dump(again.followDatabase)).toEqual(dump(gateway.followDatabase))
        expect(world.faults).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  it('events that are folded in already change nothing', async () => {
    const world = await gatewayWorld()
    await play(world, fc.sample(anyStep, { numRuns: 20, seed: 1 }))
    const { stateDatabase, followDatabase, deps } = world.gateway
    const before = [dump(stateDatabase), dump(followDatabase)]
    for (const [stream, events] of world.storage.streams) {
      expect(deps.state.apply(stream, events)).toEqual(E.right(undefined))
      deps.followed.note(events, () => undefined)
    }
    expect([dump(stateDatabase), dump(followDatabase)]).toEqual(before)
  })

  it('tables that were folded from another log are filled again: the log was restored from an older copy, say', async () => {
    const world = await gatewayWorld()
    await play(world, fc.sample(anyStep, { numRuns: 20, seed: 1 }))
    const { followDatabase, deps } = world.gateway
    const tables = openFollowTables(followDatabase)
    const older = createMemoryStorage()
    for (const event of world.storage.all.slice(0, 5)) older.all.push(event)
    expect(E.isRight(await followToEnd(logSource(deps.log, deps.blobs), tables))).toBe(true)
    expect(E.isRight(await followToEnd(logSource(createMemoryLog({}, older), deps.blobs), tables))).toBe(true)
    const fresh = openDatabase(':memory:', { synchronous: 'OFF' })
    expect(E.isRight(await followToEnd(logSource(createMemoryLog({}, older), deps.blobs), openFollowTables(fresh)))).toBe(true)
    expect(dump(followDatabase)).toEqual(dump(fresh))
  })

  it('an event that is not known stops them, and says which', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const stream = `folder-${laptop.folder}`
    const [first] = world.storage.streams.get(stream) ?? []
    if (first === undefined) throw new Error('no event')
    const { state } = world.gateway.deps
    const strange = { ...first, revision: 1, type: 'FileSung', chain: 'f'.repeat(64) }
    expect(state.apply(stream, [strange])).toEqual(
      E.left({ tag: 'Stopped', reason: `event 1 of ${stream}: this version of EventSync does not know type FileSung, version 0` }),
    )
    expect(state.head(stream)?.revision).toBe(0)
    expect(state.apply(stream, [{ ...first, revision: 5 }])).toMatchObject({ left: { reason: `events 1 to 4 of ${stream} are missing` } })
  })
})
