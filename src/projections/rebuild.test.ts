import type { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { either as E } from 'fp-ts'
import { describe, expect, it } from 'vitest'
import { bytesOf, chunkOf, deleting, enrol, gatewayWorld, textFile, type World } from '../../test/support/gateway.ts'
import { path } from '../../test/support/memory-tree.ts'
import { directoryContent, type Content } from '../domain/content.ts'
import type { Change } from '../domain/change.ts'
import { createMemoryLog, createMemoryStorage } from '../eventlog/memory.ts'
import { openDatabase } from '../lib/sqlite.ts'
import { manifestOf } from '../protocol/manifest.ts'
import { contentHash } from '../protocol/merkle.ts'
import { witnessText } from '../protocol/signing.ts'
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

const large = (seed: number): { readonly content: Content; readonly pieces: readonly Buffer[] } => {
  const pieces = Array.from({ length: 34 }, (_, index) => Buffer.alloc(index + 1, seed))
  const chunks = pieces.map(chunkOf)
  const { manifest, object } = manifestOf(chunks)
  const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0)
  return {
    content: { ...textFile(''), size, hash: contentHash(chunks), manifest },
    pieces: object === undefined ? pieces : [object, ...pieces],
  }
}

const names = ['a', 'b', 'd', 'd/a', 'd/e/b']
const anyStep = fc.record({
  device: fc.boolean(),
  kind: fc.constantFrom('put', 'put', 'directory', 'delete', 'move', 'large', 'stale', 'hold', 'witness'),
  name: fc.constantFrom(...names),
  to: fc.constantFrom(...names),
  text: fc.constantFrom('X', 'Y', 'Z'),
})
type Step = typeof anyStep extends fc.Arbitrary<infer A> ? A : never

const changeOf = ({ kind, name, to, text }: Step, base: number): Change => {
  switch (kind) {
    case 'directory':
      return { tag: 'create', path: path(name), content: directoryContent('1'), base: 'none' }
    case 'delete':
      return deleting(name, base)
    case 'move':
      return { tag: 'move', from: path(name), path: path(to === name ? `${to}2` : to), content: textFile(text), base }
    case 'large':
      return { tag: 'update', path: path(name), content: large(text.charCodeAt(0)).content, base: 'any' }
    case 'stale':
      return { tag: 'update', path: path(name), content: textFile(text), base: 1 }
    case 'hold':
      return { tag: 'hold', count: 10, reason: 'everything' }
    default:
      return { tag: 'update', path: path(name), content: textFile(text), base }
  }
}

const play = async (world: World, steps: readonly Step[]): Promise<void> => {
  const devices = [await enrol(world, 1), await enrol(world, 2)] as const
  for (const step of steps) {
    const device = step.device ? devices[0] : devices[1]
    const { folder, key, signer } = device
    const { state } = world.gateway.deps
    const head = state.head(`folder-${folder}`)
    if (step.kind === 'witness') {
      world.clock.advance(61_000)
      const position = head?.revision ?? 0
      const chain = head?.chain ?? ''
      await device.ask({ tag: 'Synced', key, folder, position, chain, signature: signer.sign(witnessText(folder, position, chain)) })
      continue
    }
    if (step.kind === 'large') await device.upload(large(step.text.charCodeAt(0)).pieces)
    const base = state.tree(folder).get(path(step.name))?.revision ?? 0
    await device.change([changeOf(step, base)], step.kind === 'large' ? {} : { contents: [bytesOf(step.text)] })
  }
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
