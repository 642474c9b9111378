import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvRecord, jsonLine, textLine } from './lines.ts'

/** RFC 4180, read back: cells of one record. */
const readCsv = (record: string): string[] => {
  const cells: string[] = []
  const pattern = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy
  for (let match = pattern.exec(record); match !== null; match = pattern.exec(record)) {
    const cell = match[1] ?? ''
    cells.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
  }
  return cells
}

describe('a record of CSV', () => {
  test('reads back as what it was, an apostrophe before what a spreadsheet would run', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '=', '+', '-', '@', "'", '\t', 'é', ' ') })
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (cells) => {
        const read = readCsv(csvRecord(cells))
        expect(read.map((cell) => (cell.startsWith("'") ? cell.slice(1) : cell))).toEqual(cells)
        for (const cell of read) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
      }),
    )
  })

  test('leaves numbers alone', () => {
    expect(csvRecord([-1, 5, '=1+1', 'plain', 'a,b'])).toBe('-1,5,\'=1+1,plain,"a,b"\r\n')
  })
})

test('no name steers a terminal', () => {
  const name = 'a\u001b[2J\u009b1m\nb'
  for (const line of [textLine('x', name), jsonLine({ name })]) expect(line.slice(0, -1)).not.toMatch(/\p{Cc}/u)
  expect((JSON.parse(jsonLine({ name })) as { name: string }).name).toBe(name)
})
