import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_HASH, NO_CHUNKS } from '../../domain/content.ts'
import type { Seen } from '../disk/port.ts'
import { decodeLocal, encodeLocal, encodeSeen, isStillAs } from './codec.ts'

const anySeen: fc.Arbitrary<Seen> = fc.record({
  kind: fc.constantFrom('file', 'symlink'),
  size: fc.constantFrom(0, 1, 10),
  mtime: fc.constantFrom('1', '11', '-1'),
  ctime: fc.constantFrom('1', '11'),
  inode: fc.constantFrom('1', '12', '18446744073709551615'),
  executable: fc.boolean(),
})

const anyLocal = fc.record({
  seen: anySeen,
  content: anySeen.map(({ kind, size, executable, mtime }) => ({
    kind,
    size,
    executable,
    modified: mtime,
    hash: EMPTY_HASH,
    manifest: NO_CHUNKS,
  })),
  settled: fc.boolean(),
})
const anyRefused = fc.option(fc.nat(3), { nil: undefined })

test('a stored local state is known again by what was seen, undecoded: all of it, where it is settled and was not refused', () => {
  fc.assert(
    fc.property(anyLocal, anyRefused, fc.option(anySeen, { nil: undefined }), (local, refused, other) => {
      const stored = encodeLocal({ ...local, ...(refused === undefined ? {} : { refused }) })
      expect(decodeLocal(stored).seen).toEqual(local.seen)
      const seen = other ?? local.seen
      const same = encodeSeen(seen) === encodeSeen(local.seen)
      expect(isStillAs(stored, seen)).toBe(same && local.settled && refused === undefined)
    }),
  )
})
