import { DATA_MARKER, OWN_DIRECTORY, STATE_MARKER } from '../../domain/path.ts'
import type { DiskError } from './port.ts'

/** Everything of EventSync's own in a synced folder. The probe's name has a letter with two Unicode forms and two cases. */
export const OWN = {
  directory: OWN_DIRECTORY,
  stages: `${OWN_DIRECTORY}/stage`,
  graves: `${OWN_DIRECTORY}/grave`,
  marker: `${OWN_DIRECTORY}/marker`,
  newMarker: `${OWN_DIRECTORY}/marker.new`,
  probe: `${OWN_DIRECTORY}/probe-\u00e9`,
} as const

/** Other spellings of the probe: a file system that finds one of them folds names. */
export const PROBE_ALIASES = [`${OWN_DIRECTORY}/PROBE-\u00c9`, `${OWN_DIRECTORY}/probe-e\u0301`] as const

/** A directory with one of these holds secrets (keys, password verifiers): nothing in it is synced. */
export const PRIVATE_MARKERS: readonly string[] = [STATE_MARKER, DATA_MARKER]

export const PRIVATE: DiskError = {
  tag: 'Private',
  reason: "a device's state or a gateway's data lies here, which is never synced: move it out of the synced folder",
}

const plain = (name: string): string => {
  if (!/^[\w-][\w.-]{0,127}$/.test(name)) throw new Error('a stage or grave has a name that is not plain')
  return name
}

export const stagePath = (name: string): string => `${OWN.stages}/${plain(name)}`

export const gravePath = (name: string): string => `${OWN.graves}/${plain(name)}`
