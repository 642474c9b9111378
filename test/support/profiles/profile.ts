import { inject } from 'vitest'
import type { RecordedEvent } from '../../../src/eventlog/port.ts'
import type { Environment } from '../processes.ts'

/** What the gateway of one world works on, and how devices reach it; disposing of it leaves nothing of the world on servers that are shared. */
export interface Profile extends AsyncDisposable {
  /** The gateway's settings that choose it. */
  readonly settings: Environment
  /** What devices need in their environment. */
  readonly devices: Environment
  /** Where devices come in, of a gateway that listens at `port`. */
  entrance(port: number): number
  /** The address for devices, where `port` is the entrance or a relay in front of it. */
  urlAt(port: number): string
  /** The whole log of the gateway with this data directory. */
  events(data: string): Promise<readonly RecordedEvent[]>
}

/** The profiles that scenarios run on, by name. Each loads what it needs when it is made. */
export const PROFILES = {
  embedded: async (): Promise<Profile> => (await import('./embedded.ts')).embedded(),
  distributed: async (): Promise<Profile> => (await import('./distributed.ts')).distributed(),
} as const

export type ProfileName = keyof typeof PROFILES

declare module 'vitest' {
  interface ProvidedContext {
    /** The one place that chooses it is vitest.config.ts: a project for each profile. */
    profile: ProfileName
  }
}

/** A fresh one, of the kind that this run of the test file is for. */
export const freshProfile = (): Promise<Profile> => PROFILES[inject('profile')]()
