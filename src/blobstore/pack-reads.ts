import * as E from 'fp-ts/lib/Either.js'
import { packName } from './names.ts'
import type { ObjectStore, PackIndex, StoreError } from './port.ts'

type Place = NonNullable<ReturnType<PackIndex['find']>>
type Bytes = E.Either<StoreError, Buffer>

/** Places that lie so near to each other that one read of `start` to `end` serves them all. */
interface Run {
  readonly places: Place[]
  readonly start: number
  end: number
}

/** Reading over a gap is quicker than another call. */
const MAX_GAP = 16 * 1024
const MAX_RUN_BYTES = 4 * 1024 * 1024

const endOf = ({ offset, size }: Place): number => offset + size

const runsOf = (places: readonly Place[]): readonly Run[] => {
  const runs: Run[] = []
  for (const place of places.toSorted((a, b) => a.offset - b.offset)) {
    const run = runs.at(-1)
    if (run !== undefined && place.offset <= run.end + MAX_GAP && endOf(place) - run.start <= MAX_RUN_BYTES) {
      run.places.push(place)
      run.end = Math.max(run.end, endOf(place))
    } else runs.push({ places: [place], start: place.offset, end: endOf(place) })
  }
  return runs
}

const readAt = (store: ObjectStore, pack: string, offset: number, length: number): Promise<Bytes> =>
  store.get(packName(pack), { offset, length })()

/** Each place's part of its run; where the run can't be read whole, each is tried alone, since only some of it may be damaged. */
const readPlaces = (store: ObjectStore, pack: string, places: readonly Place[]): ReadonlyMap<Place, Promise<Bytes>> => {
  const parts = new Map<Place, Promise<Bytes>>()
  for (const { places: near, start, end } of runsOf(places)) {
    const whole = readAt(store, pack, start, end - start)
    const partOf = async (place: Place): Promise<Bytes> => {
      const bytes = await whole
      if (E.isRight(bytes)) return E.right(bytes.right.subarray(place.offset - start, endOf(place) - start))
      return near.length === 1 ? bytes : readAt(store, pack, place.offset, place.size)
    }
    for (const place of near) parts.set(place, partOf(place))
  }
  return parts
}

/**
 * Reads places in packs. Those that are asked for in one turn of the program, as when a batch of chunks is fetched, share reads:
 * 256 small chunks of one pack are one or two reads of the store, not 256.
 */
export const createPackReads = (store: ObjectStore): ((place: Place) => Promise<Bytes>) => {
  const gathering = new Map<string, { readonly places: Place[]; readonly parts: Promise<ReadonlyMap<Place, Promise<Bytes>>> }>()

  const gather = (pack: string) => {
    const places: Place[] = []
    const parts = Promise.resolve().then(() => {
      gathering.delete(pack)
      return readPlaces(store, pack, places)
    })
    const gathered = { places, parts }
    gathering.set(pack, gathered)
    return gathered
  }

  return async (place) => {
    const { places, parts } = gathering.get(place.pack) ?? gather(place.pack)
    places.push(place)
    // Every place that was gathered has its part.
    return (await parts).get(place) as Promise<Bytes>
  }
}
