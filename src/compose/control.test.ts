import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { askControl, serveControl } from './control.ts'

const linesOf = async (lines: AsyncIterable<unknown> | undefined): Promise<unknown[]> => {
  const all: unknown[] = []
  if (lines !== undefined) for await (const line of lines) all.push(line)
  return all
}

it('a gateway is asked in its data directory, however long that is called; a command that breaks off as it asks ends nothing', async () => {
  await using parts = new AsyncDisposableStack()
  const root = mkdtempSync(join(tmpdir(), 'control-'))
  parts.defer(() => rmSync(root, { recursive: true }))
  for (const data of [root, join(root, 'x'.repeat(200))]) {
    mkdirSync(data, { recursive: true })
    expect(await askControl(data, {})).toBe(undefined)
    await serveControl(data, async (asked, answer) => ['first', asked].forEach(answer), parts)
    expect(await linesOf(await askControl(data, { keep: 1 }))).toEqual(['first', { keep: 1 }])
  }
  const broken = connect(join(root, 'control.sock'))
  await once(broken, 'connect')
  broken.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"kee')
  broken.destroy()
  await once(broken, 'close')
  expect(await linesOf(await askControl(root, 'still there'))).toEqual(['first', 'still there'])
})

it('a command that is stopped as it reads ends at once, and what it asked for goes on', async () => {
  await using parts = new AsyncDisposableStack()
  const root = mkdtempSync(join(tmpdir(), 'control-'))
  parts.defer(() => rmSync(root, { recursive: true }))
  const [goOn, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const handler = async (_: unknown, answer: (line: unknown) => void): Promise<void> => {
    answer('begun')
    await goOn.promise
    answer('done')
    ended.resolve()
  }
  await serveControl(root, handler, parts)
  const stop = new AbortController()
  const read: unknown[] = []
  const reading = (async () => {
    for await (const line of (await askControl(root, {}, stop.signal)) ?? []) {
      read.push(line)
      stop.abort()
    }
  })()
  await expect(reading).rejects.toThrow()
  expect(read).toEqual(['begun'])
  goOn.resolve()
  await ended.promise
})
