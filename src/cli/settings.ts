import * as E from 'fp-ts/lib/Either.js'
import { fromConfig, type Outcome } from '../compose/failure.ts'
import { deviceConfig, gather, type DeviceConfig, type Flags, type Settings } from '../config.ts'
import type { Globals } from './program.ts'

/** Everything that was said by flags, the environment and the configuration file. */
export const settingsOf = (options: Flags & Globals): Outcome<Settings> => fromConfig(gather(options, process.env, options.config))

export const deviceSettings = (options: Flags & Globals): Outcome<DeviceConfig> =>
  E.Monad.chain(settingsOf(options), (settings) => fromConfig(deviceConfig(settings, process.env)))
