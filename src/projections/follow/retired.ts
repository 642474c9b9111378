import type { DatabaseSync } from 'node:sqlite'
import type { RetiredObject } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import type { PackEntry, RetentionEvent } from '../../domain/events.ts'
import type { RetentionRow } from './facts.ts'

/** What retention took away, in the tables: chunks that count as missing, and objects whose names are spent. */
export interface RetiredTables {
  /** Chunks that were stored are not gone any more. */
  readonly stored: (entries: readonly PackEntry[]) => void
  readonly keep: (row: RetentionRow) => void
}

const bytesOf = (hash: Hash): Buffer => Buffer.from(hash, 'hex')

/** How the tables, and what lies over them, name an object. */
export const objectKey = (object: RetiredObject): string => ('pack' in object ? `pack ${object.pack}` : `chunk ${object.chunk}`)

/** The objects that an event of retention speaks of. */
export const objectsOf = ({ pack, chunks }: RetentionEvent): readonly RetiredObject[] =>
  pack === null ? chunks.map((chunk) => ({ chunk })) : [{ pack }]

export const openRetiredTables = (db: DatabaseSync): RetiredTables => {
  const any = db.prepare('SELECT 1 FROM gone LIMIT 1')
  const back = db.prepare('DELETE FROM gone WHERE hash = ?')
  const displace = db.prepare('DELETE FROM chunks WHERE hash = ?')
  const gone = db.prepare('INSERT INTO gone VALUES (?, ?) ON CONFLICT DO NOTHING')
  const retire = db.prepare('INSERT INTO retired (object) VALUES (?) ON CONFLICT DO NOTHING')
  const remove = db.prepare('INSERT INTO retired VALUES (?, 1) ON CONFLICT DO UPDATE SET removed = 1')
  return {
    stored: (entries) => {
      if (entries.length > 0 && any.get() !== undefined) for (const { hash } of entries) back.run(bytesOf(hash))
    },
    keep: ({ event, time }) => {
      if (event.type === 'PackRemoved') {
        for (const object of objectsOf(event)) remove.run(objectKey(object))
        return
      }
      for (const hash of event.chunks) {
        displace.run(bytesOf(hash))
        gone.run(bytesOf(hash), time)
      }
      for (const object of objectsOf(event)) retire.run(objectKey(object))
    },
  }
}
