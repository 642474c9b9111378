import { subtle } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { StoredObject, StoredObjects, StoreError } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import type { PackEntry } from '../../domain/events.ts'
import { decodePacksEvent } from '../../protocol/event-codec.ts'
import { PACKS } from '../../protocol/streams.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import type { Contents, NamedChunk } from './contents.ts'
import type { Fault, Report } from './fault.ts'

export interface ObjectDeps {
  readonly objects: StoredObjects
  readonly contents: Contents
  readonly report: Report
  /** Reads an event again. */
  readonly event: (stream: string, revision: number) => Promise<RecordedEvent | undefined>
  /** The path that an event speaks of. */
  readonly pathOf: (stream: string, revision: number) => Promise<string | undefined>
  /** Whether all bytes are read and hashed. */
  readonly readAll: boolean
  /** Parts whose bytes an earlier run has read. */
  readonly isRead: (part: string) => boolean
  readonly progress: (objects: number, bytes: number, part: string) => void
  /** Takes in what the log has said since of packs: a running gateway may have let some go while others were looked at. */
  readonly catchUp: () => Promise<void>
}

/** Objects that are read at once: each may weigh 8 MiB. */
const MAX_READS = 6

export interface ObjectTotals {
  readonly objects: number
  readonly bytes: number
  /** Chunks that the log says were let go. */
  readonly released: number
}

/** Looks at every stored object, and at what should be stored and is not. Throws where the store can't be listed. */
export const verifyObjects = async (deps: ObjectDeps): Promise<ObjectTotals> => {
  const reading = new Set<Promise<void>>()
  let objects = 0
  let bytes = 0
  for (const part of deps.objects.parts) {
    for await (const object of deps.objects.list(part)) {
      objects += 1
      await lookAt(deps, object)
      if (!deps.readAll || deps.isRead(part)) continue
      bytes += object.size
      const read = readObject(deps, object).finally(() => reading.delete(read))
      reading.add(read)
      if (reading.size >= MAX_READS) await Promise.race(reading)
    }
    await Promise.all(reading)
    deps.progress(objects, bytes, part)
  }
  await deps.catchUp()
  return { objects, bytes, released: await tellMissing(deps) }
}

/** What its size alone shows. */
const lookAt = async ({ contents, report, pathOf }: ObjectDeps, { kind, name, hash, size }: StoredObject): Promise<void> => {
  if (kind === 'chunk') {
    const named = contents.own(hash, size)
    if (named !== undefined)
      report(await naming({ pathOf }, named, { kind: 'size', object: name, reason: `it has ${size} bytes, not ${named.size}` }))
    return
  }
  const pack = contents.pack(hash)
  if (pack === undefined) return
  if (size === pack.size) pack.present = true
  else report({ kind: 'pack', stream: PACKS, revision: pack.revision, object: name, reason: `it has ${size} bytes, not ${pack.size}` })
}

const naming = async (
  { pathOf }: Pick<ObjectDeps, 'pathOf'>,
  { stream, revision }: NamedChunk,
  fault: Omit<Fault, 'stream' | 'revision' | 'path'>,
): Promise<Fault> => {
  const path = await pathOf(stream, revision)
  return { ...fault, stream, revision, ...(path === undefined ? {} : { path }) }
}

const tellMissing = async ({ contents, report, pathOf }: ObjectDeps): Promise<number> => {
  for (const { pack, revision, present, retired } of contents.packs)
    if (!present && !retired) report({ kind: 'pack', stream: PACKS, revision, object: pack, reason: 'the store does not have the pack' })
  let released = 0
  for (const chunk of contents.missing()) {
    if (chunk.released) released += 1
    else
      report(await naming({ pathOf }, chunk, { kind: 'missing', object: `${chunk.hash}…`, reason: 'a chunk that it names is not stored' }))
  }
  return released
}

const reasonOf = (error: StoreError): string => ('reason' in error ? error.reason : 'it is gone')

const digestOf = async (bytes: Uint8Array): Promise<Hash> =>
  // The digest's hex form is a Hash. On the thread pool: all cores.
  Buffer.from(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)).toString('hex') as Hash

const readObject = async (deps: ObjectDeps, object: StoredObject): Promise<void> => {
  const read = await deps.objects.bytes(object)()
  if (E.isLeft(read)) {
    if (read.left.tag !== 'NotFound')
      deps.report({ kind: 'object', object: object.name, reason: `it cannot be read: ${reasonOf(read.left)}` })
    return
  }
  const isWhole = (await digestOf(read.right)) === object.hash
  if (object.kind === 'pack') return readPack(deps, object, read.right, isWhole)
  if (isWhole) return
  const fault = { kind: 'object', object: object.name, reason: 'its bytes have another hash than its name' } as const
  const named = deps.contents.firstNamed(object.hash)
  deps.report(named === undefined ? fault : await naming(deps, named, fault))
}

const readPack = async (deps: ObjectDeps, object: StoredObject, bytes: Buffer, isWhole: boolean): Promise<void> => {
  const known = deps.contents.pack(object.hash)
  const told = known === undefined ? undefined : await toldEntries(deps, known.revision)
  if (known === undefined || told === undefined) {
    if (!isWhole) deps.report({ kind: 'object', object: object.name, reason: 'its bytes have another hash than its name' })
    return
  }
  const at = { stream: PACKS, revision: known.revision, object: object.name }
  if (!isWhole) deps.report({ kind: 'object', ...at, reason: 'its bytes have another hash than its name' })
  const inside = deps.objects.entries(bytes)
  if (E.isLeft(inside)) deps.report({ kind: 'pack', ...at, reason: `its index cannot be read: ${inside.left}` })
  else if (!sameEntries(inside.right, told))
    deps.report({ kind: 'pack', ...at, reason: 'its index and the event that tells of it disagree' })
  else if (isWhole) return
  for (const { hash, offset, size } of told) await tellDamaged(deps, object, hash, bytes.subarray(offset, offset + size))
}

const tellDamaged = async (deps: ObjectDeps, object: StoredObject, hash: Hash, bytes: Buffer): Promise<void> => {
  const named = deps.contents.firstNamed(hash)
  if (named === undefined || (await digestOf(bytes)) === hash) return
  deps.report(await naming(deps, named, { kind: 'object', object: object.name, reason: `the bytes of ${hash} in it have another hash` }))
}

const toldEntries = async ({ event }: ObjectDeps, revision: number): Promise<readonly PackEntry[] | undefined> => {
  const recorded = await event(PACKS, revision)
  const decoded = recorded === undefined ? undefined : decodePacksEvent(recorded)
  return decoded !== undefined && E.isRight(decoded) && decoded.right.type === 'PackStored' ? decoded.right.entries : undefined
}

const sameEntries = (inside: readonly PackEntry[], told: readonly PackEntry[]): boolean =>
  inside.length === told.length &&
  inside.every(({ hash, offset, size }, at) => {
    const other = told[at]
    return other?.hash === hash && other.offset === offset && other.size === size
  })
