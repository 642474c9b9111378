import type { AgentKey } from '../../domain/events.ts'
import { DEAD } from './names.ts'

/** The broker's management API (an administrator's credentials in the address; never told to anybody). */
export interface Management {
  /** Closes every connection of a user; rejects, in words, where the broker cannot be asked. */
  readonly disconnect: (agent: AgentKey) => Promise<void>
  /** Bounds the agents' own queues, which an agent declares itself, and lets the dead letters be looked at as often as somebody likes. */
  readonly bound: (vhost: string) => Promise<void>
}

const TIMEOUT_MS = 5000
/** A connection that was being made during the first round is found by the second. */
const ROUNDS = 2

export const createManagement = (address: string): Management => {
  const url = new URL(address)
  const authorization = `Basic ${Buffer.from(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`).toString('base64')}`
  url.username = ''
  url.password = ''
  const ask = async (method: string, path: string, tolerated: number, body?: object): Promise<void> => {
    const failed = (why: string): Error => new Error(`the broker's management at ${url.host} ${why}`)
    const answer = await fetch(new URL(path, url), {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => {
      throw failed('cannot be reached')
    })
    await answer.arrayBuffer()
    if (!answer.ok && answer.status !== tolerated) throw failed(`answered ${answer.status}`)
  }
  return {
    disconnect: async (agent) => {
      // 404: there is no such connection.
      for (let round = 0; round < ROUNDS; round += 1) await ask('DELETE', `/api/connections/username/${agent}`, 404)
    },
    bound: async (vhost) => {
      const policy = (name: string, tolerated: number, pattern: string, definition: object): Promise<void> =>
        ask('PUT', `/api/policies/${encodeURIComponent(vhost)}/${name}`, tolerated, { pattern, definition, 'apply-to': 'queues' })
      const small = { 'max-length': 64, 'max-length-bytes': 64 * 1024 * 1024, expires: 60_000 }
      await policy('eventsync-agents', 200, '^(agent\\.|amq\\.gen-)', small)
      // Each look counts as a delivery, and from RabbitMQ 4.0 on a quorum queue drops what had 20 of them. Before, there is no limit by itself,
      // and this number is not known (400).
      await policy('eventsync-dead', 400, `^${DEAD.replaceAll('.', '\\.')}$`, { 'delivery-limit': -1 })
    },
  }
}
