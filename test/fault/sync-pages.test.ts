import { expect, test } from 'vitest'
import type { Change } from '../../src/domain/change.ts'
import type { RemoteEntry } from '../../src/protocol/messages.ts'
import { path } from '../support/disk.ts'
import { bytesOf, creating, enrol, gatewayWorld, textFile, type Enrolled } from '../support/gateway.ts'

const MESSAGE = 100

const send = async (device: Enrolled, changes: readonly Change[]): Promise<void> => {
  for (let at = 0; at < changes.length; at += MESSAGE) {
    const answer = await device.change(changes.slice(at, at + MESSAGE), { contents: [bytesOf('x')] })
    expect(answer).toMatchObject({ tag: 'Changed' })
  }
}

const pagesOf = async (device: Enrolled): Promise<(readonly RemoteEntry[])[]> => {
  const pages: (readonly RemoteEntry[])[] = []
  for (let position = -1; ;) {
    const answer = await device.sync(position)
    if (answer.tag !== 'Synced') throw new Error(JSON.stringify(answer))
    expect(answer.position).toBeGreaterThan(position)
    // A page is complete up to its position, and tells nothing beyond it.
    for (const { version } of answer.entries) expect(version > position && version <= answer.position).toBe(true)
    pages.push(answer.entries)
    position = answer.position
    if (!answer.more) return pages
  }
}

/** Names as long as they may be, and written in JSON six times as long: pages end by their bytes, not by their number. */
const longName = (n: number): string => `${String(n).padStart(5, '0')}${'\u0001'.repeat(250)}`

test.each([
  ['many', 1100, (n: number) => `file ${String(n).padStart(5, '0')}`, 0],
  ['many, one more before them', 1100, (n: number) => `file ${String(n).padStart(5, '0')}`, 1],
  ['long', 260, longName, 0],
  ['long, one more before them', 260, longName, 1],
] as const)('no page of a Sync splits the two paths of a move: %s', async (_, count, name, before) => {
  const world = await gatewayWorld()
  const laptop = await enrol(world, 1)
  const names = Array.from({ length: count }, (__, n) => name(n))
  await send(
    laptop,
    names.map((at) => creating(at, 'x')),
  )
  // Those that are not moved stay where they are in the order of the log: the moves after them begin at an odd or an even place of a page.
  const moves = names.slice(before).map((from, n): Change => ({
    tag: 'move',
    from: path(from),
    path: path(`moved/${from}`),
    content: textFile('x'),
    base: 1 + before + n,
  }))
  await send(laptop, moves)
  const pages = await pagesOf(laptop)
  expect(pages.length).toBeGreaterThan(1)
  const versions = pages.map((page) => new Set(page.map(({ version }) => version)))
  for (const [index, page] of versions.entries())
    for (const other of versions.slice(index + 1)) expect([...page].filter((version) => other.has(version))).toEqual([])
  const entries = pages.flat()
  expect(new Set(entries.map((entry) => entry.path)).size).toBe(entries.length)
  expect(entries.filter(({ content }) => content === undefined).length).toBe(count - before)
})

test('a Sync that lies about its place is answered by what the log says', async () => {
  const world = await gatewayWorld()
  const laptop = await enrol(world, 1)
  await send(laptop, [creating('a', 'x')])
  for (const position of [1, 2, 10_000, Number.MAX_SAFE_INTEGER])
    expect(await laptop.sync(position)).toMatchObject({ tag: 'Synced', entries: [], head: 1, position: 1, more: false })
})
