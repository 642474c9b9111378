import { expect, test } from 'vitest'
import { durationText, progressText, reportLine } from './report-lines.ts'

test('what happened is one line, whatever the names hold', () => {
  expect(reportLine({ tag: 'sent', action: 'create', path: 'a' })).toBe('sent: new a')
  expect(reportLine({ tag: 'received', action: 'move', path: 'b\nc', from: 'a' })).toBe('received: moved a -> b\\u000ac')
  expect(reportLine({ tag: 'held', count: 1, reason: 'why' })).toMatch(/^held: 1 deletion /)
})

test('progress shows the rate and the time left once they can be told', () => {
  const progress = { tag: 'progress', filesDone: 50, filesTotal: 1000, bytesDone: 2 ** 20, bytesTotal: 2 ** 22 } as const
  const since = { at: 0, bytes: 0, files: 0 }
  expect(progressText(progress)).toBe('50 of 1000 files, 1.0 MiB of 4.0 MiB')
  expect(progressText(progress, since, 100)).toBe('50 of 1000 files, 1.0 MiB of 4.0 MiB')
  // By its bytes it would be 6 s, but the files are slower.
  expect(progressText(progress, since, 2000)).toBe('50 of 1000 files, 1.0 MiB of 4.0 MiB, 512.0 KiB/s, 38 s left')
  expect(progressText({ ...progress, filesDone: 0, bytesDone: 0 }, since, 2000)).toBe('0 of 1000 files, 0 B of 4.0 MiB, 0 B/s')
})

test('durations', () => {
  expect([0.2, 59, 61, 3599, 7260].map(durationText)).toEqual(['1 s', '59 s', '1 min 1 s', '59 min 59 s', '2 h 1 min'])
})
