import { join } from 'node:path'
import { eventsIn } from '../log.ts'
import type { Profile } from './profile.ts'

/** One process: SQLite and files in the data directory, WebSocket. */
export const embedded = (): Profile => ({
  settings: {},
  devices: {},
  entrance: (port) => port,
  urlAt: (port) => `ws://127.0.0.1:${port}`,
  events: async (data) => [...eventsIn(join(data, 'log.db'))],
  [Symbol.asyncDispose]: async () => undefined,
})
