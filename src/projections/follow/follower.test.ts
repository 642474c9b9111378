import { MessageChannel } from 'node:worker_threads'
import { expect, it, onTestFinished, vi } from 'vitest'
import { bytesOf, creating, enrol, gatewayWorld } from '../../../test/support/gateway.ts'
import { openDatabase } from '../../lib/sqlite.ts'
import { runFollower } from './follower.ts'
import { logSource } from './sources.ts'
import type { FromFollower } from './worker-protocol.ts'
import { openFollowTables } from './write.ts'

it('goes on by itself once the full disk of its tables has room again', async () => {
  const world = await gatewayWorld()
  const laptop = await enrol(world, 1)
  const db = openDatabase(':memory:', { synchronous: 'OFF' })
  const tables = openFollowTables(db)
  const { port1, port2 } = new MessageChannel()
  const said: FromFollower[] = []
  port1.on('message', (message: FromFollower) => said.push(message))
  const { log, blobs } = world.gateway.deps
  const reads = vi.fn((...asked: Parameters<typeof log.readAll>) => log.readAll(...asked))
  const ended = runFollower(port2, logSource({ ...log, readAll: reads }, blobs), tables)
  onTestFinished(async () => {
    port1.postMessage({ tag: 'stop' })
    await ended
    port1.close()
  })
  await vi.waitFor(() => expect(said.some(({ tag }) => tag === 'caughtUp')).toBe(true), { timeout: 5000 })
  const texts = Array.from({ length: 200 }, (_, n) => `text ${n}`)
  await laptop.change(
    texts.map((text, n) => creating(`file ${n}`, text)),
    { contents: texts.map((text) => bytesOf(text)) },
  )
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number } // one INTEGER column
  db.exec(`PRAGMA max_page_count = ${pages}`)
  const [before, heard] = [reads.mock.calls.length, said.length]
  port1.postMessage({ tag: 'ring' })
  await vi.waitFor(() => expect(reads.mock.calls.length).toBeGreaterThan(before + 1), { timeout: 5000 })
  expect(said).toHaveLength(heard)
  db.exec('PRAGMA max_page_count = 1000000')
  await vi.waitFor(() => expect(said.length).toBeGreaterThan(heard), { timeout: 5000 })
  expect(said.filter(({ tag }) => tag === 'stopped')).toEqual([])
})
