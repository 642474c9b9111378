import { createHash } from 'node:crypto'
import type { AgentKey } from '../../domain/events.ts'

/** What there is on the broker (docs/protocol.md, "RabbitMQ"). */
export const REQUESTS = 'eventsync.requests'
export const CHUNKS = 'eventsync.chunks'
export const NOTIFICATIONS = 'eventsync.notifications'
export const DEAD = 'eventsync.dead'
/** Whoever looks at the dead letters holds this queue, which holds nothing: two at once would hand them to each other out of order. */
export const DEAD_READER = 'eventsync.dead.reader'
/** Gateways tell each other here that they are alive. */
export const GATEWAYS = 'eventsync.gateways'
/** PySync's clients publish here: their JSON, and the bytes that they were asked for. */
export const PYSYNC = 'pysync'

/** The broker's own queue name by which answers find the channel that asked. */
export const REPLY_TO = 'amq.rabbitmq.reply-to'

/** Whom a device comes as that is not enrolled yet: it may register, and nothing else. */
export const ENROL = 'enrol'

export const requestQueue = (shard: number): string => `${REQUESTS}.${shard}`

/** An agent's own queue; the random part lets it come back while a hung connection still holds the last one. */
export const agentQueue = (agent: AgentKey, random: string): string => `agent.${agent}.${random}`

/** Where a gateway hears of the others. */
export const gatewayQueue = (id: string): string => `gateway.${id}`

/** SHA-256 of the folder's id, modulo the number of shards: where a folder's requests go, for ever. Without a folder: the agent's key. */
export const shardOf = (folder: string, shards: number): number => createHash('sha256').update(folder).digest().readUInt32BE(0) % shards
