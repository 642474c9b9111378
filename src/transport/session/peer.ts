import type { AgentKey } from '../../domain/events.ts'
import type { Peer } from '../port.ts'

/** A peer that tells when it is signed in, so that its connections can be found by agent. */
export class ConnectedPeer implements Peer {
  readonly id: string
  readonly address: string
  readonly nonce: string
  readonly plain: boolean
  proved = false
  readonly #changed: (before: AgentKey | undefined, now: AgentKey | undefined) => void
  #agent: AgentKey | undefined

  constructor(
    is: Pick<Peer, 'id' | 'address' | 'nonce' | 'plain'>,
    changed: (before: AgentKey | undefined, now: AgentKey | undefined) => void,
  ) {
    this.id = is.id
    this.address = is.address
    this.nonce = is.nonce
    this.plain = is.plain
    this.#changed = changed
  }

  get agent(): AgentKey | undefined {
    return this.#agent
  }

  set agent(agent: AgentKey | undefined) {
    if (agent === this.#agent) return
    const before = this.#agent
    this.#agent = agent
    this.#changed(before, agent)
  }
}
