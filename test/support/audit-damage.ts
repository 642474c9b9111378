import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RecordedEvent } from '../../src/eventlog/port.ts'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { chainOf } from '../../src/protocol/chain.ts'
import type { Evidence } from './audit-world.ts'

type Edit = (event: RecordedEvent) => RecordedEvent

/** The same log with one event altered, and nothing else. */
export const altering = (evidence: Evidence, at: RecordedEvent, edit: Edit): Evidence => ({
  ...evidence,
  events: evidence.events.map((event) => (event === at ? edit(event) : event)),
})

/** As somebody would who can write the whole log: revisions and chains made anew, so that they fit. */
export const rechained = (events: readonly RecordedEvent[]): readonly RecordedEvent[] => {
  const heads = new Map<string, RecordedEvent>()
  return events.map((event) => {
    const before = heads.get(event.stream)
    const moved = { ...event, revision: (before?.revision ?? -1) + 1 }
    const made = { ...moved, chain: chainOf(before?.chain ?? '', moved) }
    heads.set(event.stream, made)
    return made
  })
}

export const json = (text: string): Record<string, unknown> => {
  const value: unknown = JSON.parse(text)
  // The texts of events are objects.
  return value as Record<string, unknown>
}

/** An event's metadata with another message record. */
export const withMessage = (event: RecordedEvent, edit: (message: Record<string, unknown>) => Record<string, unknown>): RecordedEvent => {
  const metadata = json(event.metadata)
  // Only called with the first event of a message.
  return { ...event, metadata: JSON.stringify({ ...metadata, message: edit(metadata['message'] as Record<string, unknown>) }) }
}

/** One bit of a text's UTF-8, as a reader would see it. */
export const flipText = (text: string, bit: number): string => {
  const bytes = Buffer.from(text)
  const at = Math.floor(bit / 8) % Math.max(1, bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8))
  return bytes.toString('utf8')
}

export const flipBytes = (bytes: Buffer, bit: number): Buffer => {
  const flipped = Buffer.from(bytes)
  const at = Math.floor(bit / 8) % Math.max(1, flipped.length)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit % 8))
  return flipped
}

export const withObject = (evidence: Evidence, name: string, bytes: Buffer | undefined): Evidence => {
  const objects = new Map(evidence.objects)
  if (bytes === undefined) objects.delete(name)
  else objects.set(name, bytes)
  return { ...evidence, objects }
}

/** Writes it as a gateway's data directory; whatever the events are, so without the index that allows no revision twice. */
export const writeEvidence = ({ events, objects }: Evidence, directory: string): void => {
  mkdirSync(directory, { recursive: true })
  using db = openDatabase(join(directory, 'log.db'), { synchronous: 'OFF' })
  db.exec(`CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER, revision INTEGER, id TEXT, type TEXT, data TEXT, metadata TEXT, chain TEXT);
    PRAGMA user_version = 1; BEGIN`)
  const names = [...new Set(events.map(({ stream }) => stream))]
  names.forEach((name, at) => db.prepare('INSERT INTO streams VALUES (?, ?)').run(at + 1, name))
  const insert = db.prepare('INSERT INTO events (stream, revision, id, type, data, metadata, chain) VALUES (?, ?, ?, ?, ?, ?, ?)')
  for (const { stream, revision, id, type, data, metadata, chain } of events)
    insert.run(names.indexOf(stream) + 1, revision, id, type, data, metadata, chain)
  db.exec('COMMIT')
  for (const [name, bytes] of objects) {
    const file = join(directory, 'objects', name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
}
