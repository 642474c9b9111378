import type { GatewayConfig } from '../config.ts'
import { systemClock } from '../lib/clock.ts'
import type { Check } from './doctor/check.ts'
import { checkData } from './doctor/data.ts'
import { checkGateway } from './doctor/gateway.ts'

export type { Check }

/** Looks at everything that a gateway with this configuration needs, from the outside, part by part. What a part needs is loaded with it. */
export async function* examine(config: GatewayConfig): AsyncGenerator<Check> {
  yield* checkData(config, systemClock.wall())
  if (config.log.tag === 'eventstoredb') yield* await (await import('./doctor/log.ts')).checkLog(config.log)
  if (config.store.tag === 's3') yield* await (await import('./doctor/store.ts')).checkStore(config.store)
  if (config.queue.tag === 'rabbitmq') yield* await (await import('./doctor/queue.ts')).checkQueue(config.queue)
  yield* await checkGateway(config)
}
