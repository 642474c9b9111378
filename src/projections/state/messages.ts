import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../../domain/content.ts'
import type { Outcome } from '../../protocol/messages.ts'
import type { AppendedMessage, Messages, Sender } from '../port.ts'

/** How many numbers of an agent, folder and epoch are remembered (DESIGN.md, section 6: once only). */
export const REMEMBERED = 1024
/** Older ones go so many at a time: each deletion writes a page of its own. */
const FORGOTTEN_AT_ONCE = 64

/** The messages, and how they are written. */
export interface MessageTables extends Messages {
  add(sender: Sender, number: number, message: AppendedMessage): void
}

interface SenderRow {
  readonly id: number
  readonly latest: number
}

const stepOf = (number: number): number => Math.floor(number / FORGOTTEN_AT_ONCE)

export const prepareMessages = (db: DatabaseSync): MessageTables => {
  const sender = db.prepare('SELECT id, latest FROM senders WHERE agent = ? AND folder = ? AND epoch = ?')
  const find = db.prepare('SELECT root, position, outcomes FROM messages WHERE sender = ? AND number = ?')
  const addSender = db.prepare('INSERT INTO senders (agent, folder, epoch, latest) VALUES (?, ?, ?, ?)')
  const setLatest = db.prepare('UPDATE senders SET latest = max(latest, ?) WHERE id = ?')
  const add = db.prepare('INSERT INTO messages (sender, number, root, position, outcomes) VALUES (?, ?, ?, ?, ?)')
  const forget = db.prepare('DELETE FROM messages WHERE sender = ? AND number <= ?')
  // A new epoch ends the old ones: their numbers stay spent, their answers go.
  const forgetEpochs = db.prepare(
    'DELETE FROM messages WHERE sender IN (SELECT id FROM senders WHERE agent = ? AND folder = ? AND epoch <> ?)',
  )
  // The columns that the statement names.
  const senderOf = ({ agent, folder, epoch }: Sender) => sender.get(agent, folder, epoch) as unknown as SenderRow | undefined
  const begin = ({ agent, folder, epoch }: Sender, number: number): number => {
    forgetEpochs.run(agent, folder, epoch)
    return Number(addSender.run(agent, folder, epoch, number).lastInsertRowid)
  }
  return {
    find: (of, number) => {
      const known = senderOf(of)
      if (known === undefined || number > known.latest) return { tag: 'new' }
      if (number <= known.latest - REMEMBERED) return { tag: 'spent' }
      const row = find.get(known.id, number)
      return row === undefined ? { tag: 'spent' } : { tag: 'appended', message: toAppended(row) }
    },
    add: (of, number, { root, position, outcomes }) => {
      const known = senderOf(of)
      const id = known?.id ?? begin(of, number)
      add.run(id, number, root, position, JSON.stringify(outcomes))
      setLatest.run(number, id)
      if (stepOf(number) > stepOf(known?.latest ?? 0)) forget.run(id, number - REMEMBERED)
    },
  }
}

const toAppended = (row: unknown): AppendedMessage => {
  // Written by `add`, from an AppendedMessage.
  const { root, position, outcomes } = row as { root: Hash; position: number; outcomes: string }
  return { root, position, outcomes: JSON.parse(outcomes) as Outcome[] }
}
