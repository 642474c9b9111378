import * as E from 'fp-ts/lib/Either.js'
import type { RetiredObject } from '../../blobstore/port.ts'
import type { Hash } from '../../domain/content.ts'
import type { RetentionEvent } from '../../domain/events.ts'
import { encodeMetadata, encodeRetentionEvent } from '../../protocol/event-codec.ts'
import { uuidV5 } from '../../protocol/event-ids.ts'
import { PACKS } from '../../protocol/streams.ts'
import type { AppendFailure, Draft } from '../append.ts'
import type { Core } from '../core.ts'

/** An object that is to go, and the chunks that it holds. */
export interface Candidate {
  readonly object: RetiredObject
  readonly bytes: number
  readonly chunks: readonly Hash[]
  /** The log does not tell of it: it was put and never announced, or is being announced in this moment. */
  readonly unknown?: true
}

export type RetireCore = Pick<Core, 'appender' | 'chunks' | 'followed' | 'clock'>

/** Appends what retires these objects, as they are at that moment; gives those that it retired. */
export const retire = async (
  core: RetireCore,
  run: string,
  candidates: readonly Candidate[],
): Promise<E.Either<AppendFailure, readonly Candidate[]>> => {
  const appended = await core.chunks.inTurn(() =>
    core.appender.append<never, readonly Candidate[]>(PACKS, async () => {
      const going = candidates.filter((candidate) => candidate.unknown !== true || !isKnown(core, candidate))
      return E.right({ drafts: draftsOf(core, run, going), result: going })
    }),
  )
  return E.map(({ result }: { readonly result: readonly Candidate[] }) => result)(appended)
}

/** Its event has come meanwhile: the next run weighs it. */
const isKnown = ({ followed }: RetireCore, { object, chunks }: Candidate): boolean =>
  'pack' in object && chunks.some((hash) => followed.find(hash)?.pack === object.pack)

const draftsOf = (core: RetireCore, run: string, candidates: readonly Candidate[]): readonly Draft[] => {
  const own = candidates.flatMap(({ object }) => ('chunk' in object ? [object.chunk] : []))
  const packs = candidates.flatMap(({ object, chunks }): readonly RetentionEvent[] =>
    'pack' in object ? [{ type: 'PackRetiring', run, pack: object.pack, chunks: heldBy(core, object.pack, chunks) }] : [],
  )
  const objects: readonly RetentionEvent[] = own.length === 0 ? [] : [{ type: 'PackRetiring', run, pack: null, chunks: own }]
  return [...packs, ...objects].map((event) => retentionDraft(core, event))
}

/** Of its chunks those that the log says lie there: the others are elsewhere, and stay. */
const heldBy = ({ followed }: RetireCore, pack: string, chunks: readonly Hash[]): readonly Hash[] =>
  followed.together(() => chunks.filter((hash) => followed.find(hash)?.pack === pack))

/** Its id tells the run and the object: a run that was cut off retires under another name. */
export const retentionDraft = ({ clock }: Pick<Core, 'clock'>, event: RetentionEvent): Draft => ({
  id: uuidV5(`${event.type}/${event.run}/${event.pack ?? event.chunks.join('')}`),
  ...encodeRetentionEvent(event),
  metadata: encodeMetadata({ time: clock.wall(), proof: 'gateway' }),
})
