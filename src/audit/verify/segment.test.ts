import { either as E } from 'fp-ts'
import { beforeAll, describe, expect, it } from 'vitest'
import { altering, flipText, json, rechained, withMessage } from '../../../test/support/audit-damage.ts'
import { auditWorld, verifying, type Evidence } from '../../../test/support/audit-world.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { createKeyPair } from '../../protocol/signing.ts'
import type { Fault, FaultKind } from './fault.ts'
import { segmentChecker } from './segment.ts'
import type { LogPages } from './verify.ts'

let good: Evidence
beforeAll(async () => {
  good = (await auditWorld()).evidence()
})

const goesOn = ({ metadata }: RecordedEvent): boolean => metadata.includes('"proof":"signed"') && !metadata.includes('"message":{')

/** Parts of so many events, and the rest of the message with which each would end. */
const partsOf = (events: readonly RecordedEvent[], size: number): readonly (readonly RecordedEvent[])[] => {
  const parts: RecordedEvent[][] = []
  for (const event of events) {
    const last = parts.at(-1)
    if (last === undefined || (last.length >= size && !goesOn(event))) parts.push([event])
    else last.push(event)
  }
  return parts
}

/** The log in segments as threads give them; `all`: cut wherever it falls. */
const inSegments = (events: readonly RecordedEvent[], size: number) => {
  const seen = { segments: 0, pages: 0 }
  const pages: LogPages = async function* (known) {
    const check = segmentChecker({
      keyOf: (agent) => known().get(agent)?.publicKey,
      chainAt: (stream, revision) => events.find((event) => event.stream === stream && event.revision === revision)?.chain,
      isTrusted: () => false,
    })
    for (const part of partsOf(events, size)) {
      const segment = check(part)
      const page = { events: part, damage: [] }
      if (segment === undefined) seen.pages += 1
      else seen.segments += 1
      yield E.right(segment === undefined ? page : { segment: structuredClone(segment), again: () => [page] })
    }
  }
  return { pages, seen }
}

/** Kinds that are told when something has been looked up beside the reading. */
const BESIDE: ReadonlySet<FaultKind> = new Set(['witness', 'checkpoint', 'signature', 'manifest'])

/** Faults in the order in which they were told, those that are told beside the reading after all others. */
const inOrder = (faults: readonly Fault[]) => ({
  read: faults.filter(({ kind }) => !BESIDE.has(kind)),
  beside: faults
    .filter(({ kind }) => BESIDE.has(kind))
    .map((fault) => JSON.stringify(fault))
    .toSorted(),
})

const WITHOUT_OBJECTS = { objects: undefined, contents: false }

/** Told by segments just as it is told event by event. */
const tellsTheSame = async (evidence: Evidence, size: number, what: string): Promise<number> => {
  const one = await verifying(evidence, WITHOUT_OBJECTS)
  const { pages } = inSegments(evidence.events, size)
  const other = await verifying(evidence, { ...WITHOUT_OBJECTS, pages })
  expect(inOrder(other.faults), what).toEqual(inOrder(one.faults))
  expect(other.totals, what).toEqual(one.totals)
  return one.faults.length
}

describe('a log that is checked in segments', () => {
  it('is found whole where it is, in segments of any size', async () => {
    for (const size of [1, 2, 3, 5, 8, 1000]) {
      expect(await tellsTheSame(good, size, `segments of ${size}`)).toBe(0)
      const { pages, seen } = inSegments(good.events, size)
      await verifying(good, { pages })
      expect(seen.pages, `segments of ${size}`).toBe(0)
    }
  })

  it('I9: tells the same of one bit of each field of each event, in the same order', async () => {
    const flips = [
      ['id', 77],
      ['data', 301],
      ['metadata', 403],
      ['type', 9],
      ['data', 1201],
      ['chain', 77],
    ] as const
    for (const [at, event] of good.events.entries())
      for (const [field, bit] of at % 2 === 0 ? flips.slice(0, 3) : flips.slice(3)) {
        const damaged = altering(good, event, (each) => ({ ...each, [field]: flipText(each[field], bit + at) }))
        const faults = await tellsTheSame(damaged, 1 + (at % 6), `${field} of ${event.stream}@${event.revision}`)
        expect(faults).toBeGreaterThan(0)
      }
  })

  it('tells the same of what was made to fit the chain again: altered, left out, doubled, moved, signed by another', async () => {
    const wrong = createKeyPair(Buffer.alloc(32, 99))
    const edits: Readonly<Record<string, (event: RecordedEvent) => readonly RecordedEvent[]>> = {
      'left out': () => [],
      doubled: (event) => [event, event],
      'another base': (event) => [{ ...event, data: event.data.replace(/"base":\d+/, '"base":2').replace(/"Base":"?\w+"?/, '"Base":2') }],
      'another path': (event) => [{ ...event, data: event.data.replace(/"path":"[^"]*"/, '"path":"e"') }],
      'another file': (event) => [{ ...event, data: event.data.replace(/"fileId":"(.*?).","/, '"fileId":"$1f","') }],
      'another size': (event) => [{ ...event, data: event.data.replace(/(\[\["\w{64}",)\d+/, '$17') }],
      'another time': (event) => [{ ...event, metadata: event.metadata.replace(/"time":\d+/, '"time":1') }],
      'another account': (event) => [{ ...event, metadata: event.metadata.replace(/"account":"\w/, '"account":"0') }],
      'by password': (event) => [{ ...event, metadata: event.metadata.replace('"signed"', '"password"') }],
      'by the gateway': (event) => [{ ...event, metadata: event.metadata.replace('"signed"', '"gateway"') }],
      'another signature': (event) =>
        'message' in json(event.metadata) ? [withMessage(event, (record) => ({ ...record, signature: wrong.sign('other') }))] : [event],
      'another link': (event) => [{ ...event, metadata: event.metadata.replace(/"Previous":"\w+"/, '"Previous":""') }],
      'another witness': (event) => [{ ...event, metadata: event.metadata.replace(/"Position":\d+/, '"Position":1') }],
    }
    for (const [name, edit] of Object.entries(edits))
      for (const [at, event] of good.events.entries()) {
        const [edited] = edit(event)
        if (edited?.data === event.data && edited.metadata === event.metadata && name !== 'doubled') continue
        const events = rechained(good.events.flatMap((each) => (each === event ? edit(each) : [each])))
        await tellsTheSame({ ...good, events }, 1 + (at % 6), `${event.stream}@${event.revision} ${name}`)
      }
  })

  it('tells the same of events that were dropped, doubled and swapped without a new chain', async () => {
    for (const [at, event] of good.events.entries()) {
      const events = good.events
      const next = events[at + 1] ?? event
      await tellsTheSame({ ...good, events: events.toSpliced(at, 1) }, 1 + (at % 6), `${at} dropped`)
      await tellsTheSame({ ...good, events: events.toSpliced(at, 0, event) }, 1 + (at % 6), `${at} doubled`)
      await tellsTheSame({ ...good, events: events.toSpliced(at, 2, next, event) }, 1 + (at % 6), `${at} swapped`)
      await tellsTheSame({ ...good, events: events.slice(0, at) }, 1 + (at % 6), `cut at ${at}`)
    }
  })
})
