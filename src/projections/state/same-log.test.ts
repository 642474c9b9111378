import { createHash, randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { enrol, bytesOf, creating, gatewayWorld } from '../../../test/support/gateway.ts'
import { createMemoryLog, createMemoryStorage } from '../../eventlog/memory.ts'
import type { EventLog } from '../../eventlog/port.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { catchUp } from './catch-up.ts'
import { isOfLog } from './same-log.ts'
import { emptyState } from './schema.ts'
import { openState } from './state.ts'

const filled = async (names: readonly string[]) => {
  const world = await gatewayWorld()
  const laptop = await enrol(world, 1)
  for (const name of names) await laptop.change([creating(name, name)], { contents: [bytesOf(name)] })
  return world
}

const foldedFrom = async (log: EventLog) => {
  const db = openDatabase(':memory:', { synchronous: 'OFF' })
  const state = openState(db)
  await catchUp(log, state)
  return { db, state }
}

it('a state that is new, or was folded from the log at any time, is of that log', async () => {
  const { gateway } = await filled(['a', 'b'])
  const { log } = gateway.deps
  const { state } = await foldedFrom(log)
  expect(await isOfLog(log, openState(openDatabase(':memory:', { synchronous: 'OFF' })))).toEqual(E.right(true))
  expect(await isOfLog(log, state)).toEqual(E.right(true))
  await log.append('packs-of-another', 'none', [
    { id: randomUUID(), type: 'X', data: '{}', metadata: '{}', chain: createHash('sha256').update('x').digest('hex') },
  ])()
  expect(await isOfLog(log, state)).toEqual(E.right(true))
})

it.each([
  ['was cut', ['a'], ['a', 'b', 'c']],
  ['went on otherwise after it was cut', ['a', 'x', 'y', 'z'], ['a', 'b', 'c']],
  ['is empty', undefined, ['a']],
] as const)('a state is of another log where the log %s', async (_, now, before) => {
  const { state } = await foldedFrom((await filled(before)).gateway.deps.log)
  const log = now === undefined ? createMemoryLog({}, createMemoryStorage()) : (await filled(now)).gateway.deps.log
  expect(await isOfLog(log, state)).toEqual(E.right(false))
})

it('a state that was emptied is folded anew', async () => {
  const { gateway } = await filled(['a'])
  const { db, state } = await foldedFrom(gateway.deps.log)
  const heads = state.unsignedHeads(9)
  emptyState(db)
  const again = openState(db)
  expect(again.checkpoint()).toBe('start')
  await catchUp(gateway.deps.log, again)
  expect(again.unsignedHeads(9)).toEqual(heads)
})
