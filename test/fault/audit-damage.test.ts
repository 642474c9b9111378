import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { readOutside } from '../../src/audit/outside.ts'
import { checkpointPage, signCheckpoint } from '../../src/protocol/folder-checkpoint.ts'
import type { FaultKind } from '../../src/audit/verify/fault.ts'
import type { Hash } from '../../src/domain/content.ts'
import type { FolderId } from '../../src/domain/events.ts'
import type { RecordedEvent } from '../../src/eventlog/port.ts'
import { canonical } from '../../src/protocol/canonical.ts'
import { witnessPage } from '../../src/protocol/folder-witness.ts'
import { receiptStatement, signReceipts } from '../../src/protocol/receipt.ts'
import { createKeyPair } from '../../src/protocol/signing.ts'
import { auditWorld, verifying, type Evidence } from '../support/audit-world.ts'
import { altering, flipBytes, flipText, json, rechained, withMessage, withObject, writeEvidence } from '../support/audit-damage.ts'

/** All of them: 1,000. */
const FLIPS = Number(process.env['EVENTSYNC_FLIPS'] ?? 150)

let good: Evidence = { events: [], objects: new Map() }
let folder = ''
let other = ''
beforeAll(async () => {
  const { evidence, devices } = await auditWorld()
  good = evidence()
  folder = `folder-${devices[0]?.folder}`
  other = `folder-${devices[2]?.folder}`
})

/** What examples/verify.py says of it. */
const python = (evidence: Evidence, checkpoint?: string): { readonly code: number | null; readonly text: string } => {
  const directory = mkdtempSync(join(tmpdir(), 'es-damage-'))
  try {
    writeEvidence(evidence, directory)
    const page = join(directory, 'checkpoint.json')
    if (checkpoint !== undefined) writeFileSync(page, checkpoint)
    const program = join(import.meta.dirname, '../../examples/verify.py')
    const args = [program, directory, ...(checkpoint === undefined ? [] : ['--checkpoint', page])]
    const { status, stdout, stderr } = spawnSync('/usr/bin/python3', args, { encoding: 'utf8' })
    return { code: status, text: stdout + stderr }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const at = (stream: string, revision: number): RecordedEvent => {
  const event = good.events.find((each) => each.stream === stream && each.revision === revision)
  if (event === undefined) throw new Error(`no ${stream}@${revision}`)
  return event
}
const ofType = (type: string): RecordedEvent => {
  const event = good.events.find((each) => each.type === type)
  if (event === undefined) throw new Error(`no ${type}`)
  return event
}
const isMessage = ({ metadata }: RecordedEvent): boolean => 'message' in json(metadata)
/** The first event of a message of several events. */
const message = (): RecordedEvent => {
  const event = good.events.find((each) => each.stream === folder && isMessage(each))
  if (event === undefined) throw new Error('no message')
  return event
}
const placeOf = ({ stream, revision }: RecordedEvent): string => `${stream}@${revision}`
const rewritten = (edit: (event: RecordedEvent) => RecordedEvent | undefined): Evidence => ({
  ...good,
  events: rechained(good.events.flatMap((event) => edit(event) ?? [])),
})

/** Both verifiers find it, in one of these ways, and name the place. */
const bothFind = async (evidence: Evidence, kinds: readonly FaultKind[], place: string): Promise<void> => {
  const { faults } = await verifying(evidence)
  const named = faults.filter((fault) => `${fault.stream}@${fault.revision}` === place || fault.object?.startsWith(place) === true)
  expect(
    named.map(({ kind }) => kind).some((kind) => kinds.includes(kind)),
    JSON.stringify(faults, undefined, 1),
  ).toBe(true)
  const { code, text } = python(evidence)
  expect(text).not.toContain('Traceback')
  expect(code, text).toBe(6)
  const lines = text.split('\n').filter((line) => kinds.some((kind) => line.startsWith(`${kind} `)))
  expect(
    lines.some((line) => line.includes(place)),
    text,
  ).toBe(true)
}

describe('damage to the evidence', () => {
  it('is not seen where there is none, by either verifier', async () => {
    expect((await verifying(good)).faults).toEqual([])
    expect(python(good)).toMatchObject({ code: 0 })
  })

  it('I9: one bit of a field of each type of event is found, and the event is named', async () => {
    for (const type of new Set(good.events.map((event) => event.type))) {
      const event = ofType(type)
      for (const field of ['id', 'data', 'metadata', 'chain'] as const) {
        const damaged = altering(good, event, (each) => ({ ...each, [field]: flipText(each[field], 77) }))
        const { faults } = await verifying(damaged)
        expect(
          faults.map((fault) => `${fault.stream}@${fault.revision}`),
          `${type}.${field}`,
        ).toContain(placeOf(event))
        if (field === 'data') await bothFind(damaged, ['chain'], placeOf(event))
      }
    }
  })

  it('I9: random bits of the log and of the objects are all found', async () => {
    const next = random(4711)
    const objects = [...good.objects]
    for (let count = 0; count < FLIPS; count += 1) {
      const bit = Math.floor(next() * 100_000)
      const event = good.events[Math.floor(next() * good.events.length)]
      const object = objects[Math.floor(next() * objects.length)]
      if (event === undefined || object === undefined) throw new Error('nothing to damage')
      const inObject = next() < 0.3
      const field = (['id', 'type', 'data', 'metadata', 'chain', 'stream', 'data', 'metadata'] as const)[Math.floor(next() * 8)] ?? 'data'
      const damaged = inObject
        ? withObject(good, object[0], flipBytes(object[1], bit))
        : altering(good, event, (each) => ({ ...each, [field]: flipText(each[field], bit) }))
      const { faults } = await verifying(damaged)
      expect(faults.length, inObject ? `bit ${bit} of ${object[0]}` : `bit ${bit} of ${field} of ${placeOf(event)}`).toBeGreaterThan(0)
    }
  })

  it('an event that was dropped, doubled, swapped or put elsewhere is found', async () => {
    const [fifth, sixth] = [at(folder, 5), at(folder, 6)]
    await bothFind({ ...good, events: good.events.filter((event) => event !== fifth) }, ['gap'], placeOf(sixth))
    await bothFind(
      { ...good, events: good.events.flatMap((event) => (event === fifth ? [event, event] : [event])) },
      ['gap'],
      placeOf(fifth),
    )
    const contents = ({ id, type, data, metadata, chain }: RecordedEvent) => ({ id, type, data, metadata, chain })
    const swapped = good.events.map((event) => {
      if (event === fifth) return { ...event, ...contents(sixth) }
      return event === sixth ? { ...event, ...contents(fifth) } : event
    })
    await bothFind({ ...good, events: swapped }, ['chain'], placeOf(fifth))
    const reordered = good.events.toSpliced(good.events.indexOf(fifth), 2, sixth, fifth)
    await bothFind({ ...good, events: reordered }, ['gap'], placeOf(sixth))
  })

  it('a message signed by another key is found, though all else was made to fit', async () => {
    const wrong = createKeyPair(Buffer.alloc(32, 99))
    const first = message()
    const signature = (record: Record<string, unknown>): string => wrong.sign(canonical(record['head'] as Parameters<typeof canonical>[0]))
    const evidence = rewritten((event) =>
      event === first ? withMessage(event, (record) => ({ ...record, signature: signature(record) })) : event,
    )
    await bothFind(evidence, ['signature'], placeOf(first))
  })

  it('a key that was put in the place of an agent’s is found', async () => {
    const wrong = createKeyPair(Buffer.alloc(32, 99))
    const first = ofType('AgentRegistered')
    const evidence = rewritten((event) =>
      event === first ? { ...event, data: JSON.stringify({ ...json(event.data), publicKey: wrong.publicKey }) } : event,
    )
    await bothFind(evidence, ['signature'], placeOf(first))
  })

  it('a signed message that was moved to another folder is found', async () => {
    const first = message()
    const own = good.events.filter(
      (event) =>
        event.stream === folder && json(event.metadata)['number'] === 1 && json(event.metadata)['agent'] === json(first.metadata)['agent'],
    )
    const last = good.events.findLast((event) => event.stream === other)
    const moved = own.map((event) => ({ ...event, stream: other }))
    const evidence = { ...good, events: rechained([...good.events, ...moved]) }
    await bothFind(evidence, ['moved'], `${other}@${(last?.revision ?? 0) + 1}`)
  })

  it('a change that was left out of a message, and one that was altered, are found', async () => {
    const first = message()
    const record = json(first.metadata)['message'] as { outcomes: { Version: number }[] }
    const lastOf = at(folder, record.outcomes.at(-1)?.Version ?? 0)
    const less = rewritten((event) => {
      if (event === lastOf) return undefined
      if (event !== first) return event
      return withMessage(event, (each) => ({ ...each, outcomes: (each['outcomes'] as unknown[]).slice(0, -1) }))
    })
    await bothFind(less, ['change'], placeOf(first))
    const altered = rewritten((event) =>
      event === lastOf ? { ...event, data: event.data.replace('"OriginalName":"c"', '"OriginalName":"x"') } : event,
    )
    await bothFind(altered, ['change'], placeOf(first))
  })

  it('a whole message that was left out is found by the next of its agent', async () => {
    const first = message()
    const { agent, number } = json(first.metadata)
    const of = ({ stream, metadata }: RecordedEvent): boolean =>
      stream === folder && json(metadata)['agent'] === agent && json(metadata)['number'] === number
    const { faults } = await verifying(rewritten((event) => (of(event) ? undefined : event)))
    expect(faults.map(({ kind }) => kind)).toContain('link')
    expect(python(rewritten((event) => (of(event) ? undefined : event))).text).toContain('link ')
  })

  it('what the gateway added falsely is found', async () => {
    const updated = good.events.find((event) => event.type === 'FileUpdated' && event.data.includes('"path"'))
    if (updated === undefined) throw new Error('nothing landed elsewhere')
    const edits: readonly ((data: string) => string)[] = [
      (data) => data.replace('"path":"moved/b"', '"path":"e"'),
      (data) => data.replace(/"base":\d+/, '"base":2'),
      (data) => data.replace(/"fileId":"(.*?).","/, '"fileId":"$1f","'),
    ]
    for (const edit of edits) {
      const evidence = rewritten((event) => (event === updated ? { ...event, data: edit(event.data) } : event))
      await bothFind(evidence, ['derived'], placeOf(updated))
    }
  })

  it('an end that was cut off is found by what others signed', async () => {
    const cut = { ...good, events: good.events.filter((event) => event.stream !== folder || event.revision < 10) }
    const checkpoint = ofType('Checkpoint')
    await bothFind(cut, ['checkpoint'], placeOf(checkpoint))
    await bothFind(cut, ['witness'], placeOf(ofType('AgentSynced')))
  })

  it('an end that was cut off behind what a device has kept is found by its word and by its receipt', async () => {
    const head = good.events.findLast((event) => event.stream === folder)
    if (head === undefined) throw new Error('no head')
    const [gateway, device] = [createKeyPair(Buffer.alloc(32, 7)), createKeyPair(Buffer.alloc(32, 1))]
    // A recorded chain is a hash, and the stream a folder's.
    const seen = { folder: folder.slice(7) as FolderId, position: head.revision, chain: head.chain as Hash }
    const [receipt] = signReceipts([receiptStatement(seen.folder, seen.chain, [], seen.position, seen.chain)], gateway)
    const page = witnessPage({ ...seen, time: '2026-11-23T12:00:00.000Z', gatewayKey: gateway.publicKey, receipt }, device)
    const read = readOutside(page, 'laptop.json')
    if (E.isLeft(read)) throw new Error(read.left)
    const { claims } = read.right
    const cut = { ...good, events: good.events.filter((event) => event !== head) }
    const { faults } = await verifying(cut, { claims })
    const of = faults.filter(({ reason }) => reason.includes('laptop.json'))
    expect(of.map(({ kind, stream, revision }) => [kind, stream, revision])).toEqual([
      ['witness', folder, head.revision],
      ['checkpoint', folder, head.revision],
    ])
    expect((await verifying(good, { claims })).faults).toEqual([])
    const { code, text } = python(cut, page)
    expect(code).toBe(6)
    expect(text).toMatch(/^witness .*checkpoint\.json/m)
    expect(text).toMatch(/^checkpoint .*checkpoint\.json/m)
    expect(python(good, page).code).toBe(0)
    expect(python(good, page.replace(/"Position": \d+/, '"Position": 1')).text).toContain('its signature is not that of the key')
  })

  it('I10: a chain that was made anew over changed contents is found by agents’ words and by an exported checkpoint', async () => {
    const head = good.events.findLast((event) => event.stream === folder)
    if (head === undefined) throw new Error('no head')
    const signer = createKeyPair(Buffer.alloc(32, 7))
    // A recorded chain is a hash, and the stream a folder's.
    const of = { folder: folder.slice(7) as FolderId, position: head.revision, chain: head.chain as Hash, time: '2026-11-23T12:00:00.000Z' }
    const page = signCheckpoint(of, signer)
    const evidence = rewritten((event) =>
      event.stream === folder && event.revision === 2 ? { ...event, metadata: event.metadata.replace(/"time":\d+/, '"time":1') } : event,
    )
    const claim = { stream: folder, revision: head.revision, chain: head.chain, kind: 'checkpoint', by: 'a page' } as const
    const { faults } = await verifying(evidence, { claims: [claim] })
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['witness', 'checkpoint']))
    expect(faults.some(({ kind, reason }) => kind === 'checkpoint' && reason.includes('a page'))).toBe(true)
    const { code, text } = python(evidence, checkpointPage(page))
    expect(code).toBe(6)
    expect(text).toMatch(/^witness /m)
    expect(text).toMatch(/^checkpoint .*checkpoint\.json/m)
    expect(python(good, checkpointPage(page)).code).toBe(0)
  })

  it('a checkpoint, a witness and a countersignature that nobody signed are found', async () => {
    const forge = (type: string, field: string) =>
      rewritten((event) => {
        const data = json(event.data)
        // Another good signature, of other words.
        return event.type === type && typeof data[field] === 'string'
          ? { ...event, data: JSON.stringify({ ...data, [field]: createKeyPair(Buffer.alloc(32, 99)).sign('other') }) }
          : event
      })
    await bothFind(forge('Checkpoint', 'signature'), ['signature'], placeOf(ofType('Checkpoint')))
    await bothFind(forge('AgentSynced', 'signature'), ['signature'], placeOf(ofType('AgentSynced')))
    const vouched = good.events.find((event) => event.type === 'AgentRegistered' && json(event.data)['countersignature'] !== null)
    await bothFind(forge('AgentRegistered', 'countersignature'), ['signature'], vouched === undefined ? '' : placeOf(vouched))
  })

  it('an object that was altered, cut, exchanged or removed is found, and what needs it is named', async () => {
    const names = [...good.objects.keys()]
    for (const name of [names.find((each) => each.startsWith('packs/')) ?? '', names.find((each) => each.startsWith('chunks/')) ?? '']) {
      const bytes = good.objects.get(name) ?? Buffer.alloc(0)
      const swapped = good.objects.get(names.find((each) => each !== name) ?? '')
      for (const damaged of [flipBytes(bytes, bytes.length * 4), bytes.subarray(0, -1), swapped, undefined]) {
        const { faults } = await verifying(withObject(good, name, damaged))
        expect(
          faults.every(({ stream }) => stream !== undefined),
          name,
        ).toBe(true)
        expect(
          faults.map(({ kind }) => kind).filter((kind) => ['object', 'size', 'pack', 'missing'].includes(kind)).length,
          name,
        ).toBeGreaterThan(0)
        const said = python(withObject(good, name, damaged))
        expect(said.code, said.text).toBe(6)
        expect(said.text).not.toContain('Traceback')
      }
    }
  })
})

/** Numbers from 0 to 1 that a seed makes (mulberry32). */
const random = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
