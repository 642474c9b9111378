import { describe, expect, it } from 'vitest'
import { rechained, withObject } from '../../../test/support/audit-damage.ts'
import { auditWorld, scanOf, verifying } from '../../../test/support/audit-world.ts'
import * as E from 'fp-ts/lib/Either.js'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { accountIdOf } from '../../protocol/event-ids.ts'
import { WITHHELD } from '../../protocol/log-page.ts'
import { accountStream, agentStream, folderStream } from '../../protocol/streams.ts'
import { scanStreams } from '../stream-scan.ts'
import { readResume, resumeText } from './resume.ts'

describe('the verification of a whole log', () => {
  it('finds nothing wrong with what a gateway has written', async () => {
    const { evidence, world } = await auditWorld()
    const { faults, totals } = await verifying(evidence())
    expect(faults).toEqual([])
    expect(world.faults).toEqual([])
    expect(totals).toMatchObject({ events: world.storage.all.length, unjudged: [], passwords: 0, released: 0 })
    expect(totals.signatures).toBeGreaterThan(10)
  })

  it('takes for released what the log lets go, also while it is looking', async () => {
    const { evidence } = await auditWorld()
    const good = evidence()
    const stored = good.events.find(({ type }) => type === 'PackStored')
    if (stored === undefined) throw new Error('no pack')
    const { pack, entries } = JSON.parse(stored.data) as { readonly pack: string; readonly entries: readonly [string][] }
    const last = good.events.findLast(({ stream }) => stream === 'packs')
    const retired = {
      ...stored,
      revision: (last?.revision ?? 0) + 1,
      type: 'PackRetiring',
      data: JSON.stringify({ v: 1, run: 'r', pack, chunks: entries.map(([hash]) => hash) }),
    }
    const without = withObject(good, `packs/${pack.slice(0, 2)}/${pack}`, undefined)
    expect((await verifying(without)).faults.map(({ kind }) => kind)).toContain('missing')
    const scan = scanOf(without.events)
    const later = scanOf([...without.events, retired])
    const { faults, totals } = await verifying(without, { scan: { ...scan, event: (stream, revision) => later.event(stream, revision) } })
    expect(faults).toEqual([])
    expect(totals.released).toBe(entries.length)
  })

  it('takes a pack that was told of twice for the one that it is', async () => {
    const { evidence } = await auditWorld()
    const good = evidence()
    const packs = good.events.filter(({ stream }) => stream === 'packs')
    const first = packs.find(({ type }) => type === 'PackStored')
    if (first === undefined) throw new Error('no pack')
    const again = { ...good, events: rechained([...good.events, { ...first, revision: packs.length }]) }
    expect((await verifying(again)).faults).toEqual([])
  })

  it('through a gateway, takes the streams of one account for a whole, and what is kept back at its chain’s word', async () => {
    const { evidence, devices } = await auditWorld()
    const [laptop, desktop] = devices
    if (laptop === undefined || desktop === undefined) throw new Error('no devices')
    const account = accountStream(accountIdOf('a@b.c'))
    const streams = [account, folderStream(laptop.folder), agentStream(laptop.key), agentStream(desktop.key)]
    const shown = evidence().events.map((event) => (event.type === 'AccountRegistered' ? { ...event, data: WITHHELD } : event))
    const through = (events: readonly RecordedEvent[]) => {
      const of = (name: string) => events.filter(({ stream }) => stream === name)
      const scan = scanStreams(
        {
          read: (name, from, max) => async () => E.right(of(name).slice(from, from + Math.min(max, 3))),
          last: (name) => async () => E.right(of(name).at(-1)),
        },
        streams.map((stream) => ({ stream, upTo: undefined })),
      )
      const isWithheld = ({ stream, data }: RecordedEvent): boolean => stream === account && data === WITHHELD
      return verifying(evidence(), { scan, objects: undefined, through: { email: 'a@b.c', isWithheld } })
    }
    const { faults, totals } = await through(shown)
    expect(faults).toEqual([])
    expect(totals).toMatchObject({ streams: 3, unjudged: [] })
    expect(totals.signatures).toBeGreaterThan(8)
    const altered = shown.map((event) =>
      event.type === 'AgentRegistered' ? { ...event, data: event.data.replace('"name":"', '"name":"x') } : event,
    )
    const names = altered.filter((event, at) => event.stream === account && event.data !== shown[at]?.data).length
    expect((await through(altered)).faults.filter(({ kind }) => kind === 'chain')).toHaveLength(names)
    const kept = shown.map((event) =>
      event.stream === folderStream(laptop.folder) && event.revision === 3 ? { ...event, data: WITHHELD } : event,
    )
    expect((await through(kept)).faults.map(({ kind }) => kind)).toContain('chain')
  })

  it('goes on from where an earlier run came to, and sees where the log is another one', async () => {
    const { evidence } = await auditWorld()
    const good = evidence()
    const { totals } = await verifying(good)
    const resumed = readResume(resumeText({ heads: totals.heads, parts: [] }))
    const again = await verifying(good, { resumed })
    expect(again.faults).toEqual([])
    // Only countersignatures are checked a second time.
    expect(again.totals.signatures).toBeLessThan(totals.signatures)
    const [first] = good.events
    const other = {
      ...good,
      events: rechained(
        good.events.map((event) => (event === first ? { ...event, metadata: event.metadata.replace(/"time":\d+/, '"time":1') } : event)),
      ),
    }
    expect((await verifying(other, { resumed })).faults.map(({ reason }) => reason).join()).toContain('the run that this one goes on from')
  })
})
