import { expect, it } from 'vitest'
import type { AgentKey, FolderId } from '../../domain/events.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { sha256 } from '../../protocol/hash.ts'
import { prepareMessages, REMEMBERED } from './messages.ts'
import { migrateState } from './schema.ts'

// Of the right length.
const sender = { agent: 'A'.repeat(32) as AgentKey, folder: 'f'.repeat(32) as FolderId, epoch: '0'.repeat(16) }

it('I5: answers the latest messages of a sender again, whatever their numbers, and knows that older ones are spent', () => {
  using db = openDatabase(':memory:', { synchronous: 'OFF' })
  migrateState(db)
  const messages = prepareMessages(db)
  const numbers: number[] = []
  for (let number = 1; number <= 3 * REMEMBERED; number += number % 5 === 0 ? 2 : 1) {
    messages.add(sender, number, { root: sha256(String(number)), position: number, outcomes: [] })
    numbers.push(number)
  }
  const latest = numbers.at(-1)!
  const found = numbers.map((number) => messages.find(sender, number))
  expect(found).toEqual(
    numbers.map((number) =>
      number > latest - REMEMBERED
        ? { tag: 'appended', message: { root: sha256(String(number)), position: number, outcomes: [] } }
        : { tag: 'spent' },
    ),
  )
  expect(messages.find(sender, latest + 1)).toEqual({ tag: 'new' })
  expect(Number(db.prepare('SELECT count(*) AS rows FROM messages').get()?.['rows'])).toBeLessThan(REMEMBERED + 100)
})
