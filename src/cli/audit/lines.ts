import { setImmediate as turn } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../../compose/failure.ts'
import { printable } from '../output.ts'

/**
 * Writes to stdout what comes, each piece as soon as it is there. Where whoever reads it goes away (`| head`), it ends quietly, or goes on where the pieces are work that is to be done. Between
 * pieces other work of the process gets its turn: signals, above all.
 */
export const writeBytes = async <A>(
  pieces: AsyncIterable<Outcome<A>>,
  bytesOf: (piece: A) => Outcome<string | Uint8Array>,
  unread: 'end' | 'goOn' = 'end',
): Promise<Outcome> => {
  const gone = new AbortController()
  const end = (): void => gone.abort()
  process.stdout.once('error', end).once('close', end)
  try {
    for await (const piece of pieces) {
      const bytes = E.isLeft(piece) ? piece : bytesOf(piece.right)
      if (E.isLeft(bytes)) return bytes
      if (!gone.signal.aborted && bytes.right.length > 0 && !process.stdout.write(bytes.right)) await drained()
      await turn()
      if (gone.signal.aborted && unread === 'end') return E.right(undefined)
    }
    return E.right(undefined)
  } finally {
    process.stdout.off('error', end).off('close', end)
  }
}

/** {@link writeBytes} for pages of items, each of which makes lines. */
export const writeLines = <A>(
  pages: AsyncIterable<Outcome<readonly A[]>>,
  lineOf: (item: A) => string,
  unread: 'end' | 'goOn' = 'end',
): Promise<Outcome> => writeBytes(pages, (page) => E.right(page.map(lineOf).join('')), unread)

const drained = (): Promise<void> =>
  new Promise((resolve) => {
    for (const event of ['drain', 'error', 'close']) process.stdout.once(event, () => resolve())
  })

/** A JSON value on a line of its own; control characters that JSON lets through are escaped as well, for terminals. */
export const jsonLine = (value: object): string =>
  `${JSON.stringify(value).replace(/[\u007f-\u009f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`

export const textLine = (...cells: readonly string[]): string => `${printable(cells.join('  ').trimEnd())}\n`

/**
 * A record of CSV (RFC 4180). A cell that a spreadsheet would take for a formula gets an apostrophe before it, and so does one that begins
 * with an apostrophe: so it can be taken off again.
 */
export const csvRecord = (cells: readonly (string | number)[]): string => `${cells.map(csvCell).join(',')}\r\n`

const csvCell = (cell: string | number): string => {
  if (typeof cell === 'number') return String(cell)
  const safe = /^['=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
