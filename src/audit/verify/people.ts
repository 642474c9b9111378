import type { AccountEvent, AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import type { RecordedEvent } from '../../eventlog/port.ts'
import { accountIdOf, uuidV5 } from '../../protocol/event-ids.ts'
import { agentKeyOf, countersignText, isPublicKey } from '../../protocol/signing.ts'
import { accountStream } from '../../protocol/streams.ts'
import type { At, Report } from './fault.ts'
import type { Signatures } from './signatures.ts'

export interface KnownAgent {
  readonly account: AccountId
  /** null: it proves itself by the password alone. */
  readonly publicKey: string | null
  /** The gateway's clock at its revocation, in milliseconds. */
  revoked: number | undefined
}

/** A message that was accepted before its agent's revocation may be appended after it, but not much. */
const REVOCATION_GRACE_MS = 5 * 60_000

/** Who there is, as the accounts' streams say: the keys that everything else is checked by. */
export class People {
  readonly #agents = new Map<AgentKey, KnownAgent>()
  readonly #emails = new Map<AccountId, string>()
  readonly #folders = new Map<FolderId, AccountId>()
  readonly #signatures: Signatures
  readonly #report: Report

  constructor(signatures: Signatures, report: Report) {
    this.#signatures = signatures
    this.#report = report
  }

  /** Of an account that is known by its address alone, as in an export. */
  knowAccount(email: string): void {
    this.#emails.set(accountIdOf(email), email)
  }

  knowFolder(folder: FolderId, account: AccountId): void {
    this.#folders.set(folder, account)
  }

  ownerOf(folder: FolderId): AccountId | undefined {
    return this.#folders.get(folder)
  }

  /** All agents, in the order in which they were enrolled. */
  get agents(): ReadonlyMap<AgentKey, KnownAgent> {
    return this.#agents
  }

  get(key: AgentKey): KnownAgent | undefined {
    return this.#agents.get(key)
  }

  take(recorded: RecordedEvent, event: AccountEvent, time: number): void {
    switch (event.type) {
      case 'AccountRegistered':
        return this.#takeAccount(recorded, event)
      case 'AgentRegistered':
        return this.#takeAgent(recorded, event)
      case 'AgentRevoked': {
        const agent = this.#agents.get(event.agent)
        if (agent === undefined) this.#report({ kind: 'agent', ...at(recorded), reason: 'it revokes an agent that was never enrolled' })
        else agent.revoked ??= time
        return
      }
      case 'SignInsRefused':
        return this.#expectStream(recorded, event.account)
      case 'AgentRenamed':
    }
  }

  /** The agent that made an event, where it may have made it. */
  author(recorded: At, key: AgentKey, account: AccountId | undefined, time: number): KnownAgent | undefined {
    const agent = this.#agents.get(key)
    const wrong = agent === undefined ? 'it is of an agent that was never enrolled' : wrongAuthor(agent, account, time)
    if (wrong !== undefined) this.#report({ kind: 'agent', ...at(recorded), reason: wrong })
    return agent
  }

  #takeAccount(recorded: RecordedEvent, { account, email }: Extract<AccountEvent, { type: 'AccountRegistered' }>): void {
    this.#emails.set(account, email)
    if (accountIdOf(email) !== account)
      this.#report({ kind: 'format', ...at(recorded), reason: 'the account is not that of its email address' })
    this.#expectPlace(recorded, account, `account/${account}/registered`)
  }

  #takeAgent(recorded: RecordedEvent, event: Extract<AccountEvent, { type: 'AgentRegistered' }>): void {
    const { account, agent, publicKey } = event
    this.#expectPlace(recorded, account, `agent/${account}/${agent}/registered`)
    if (this.#agents.has(agent)) this.#report({ kind: 'agent', ...at(recorded), reason: 'the agent is enrolled a second time' })
    else this.#agents.set(agent, { account, publicKey, revoked: undefined })
    if (publicKey === null) return
    if (!isPublicKey(publicKey) || agentKeyOf(Buffer.from(publicKey, 'base64')) !== agent)
      this.#report({ kind: 'signature', ...at(recorded), reason: 'the public key is not that of the agent' })
    else this.#checkVoucher(recorded, event, publicKey)
  }

  #checkVoucher(
    recorded: RecordedEvent,
    { account, vouchedBy, countersignature }: Extract<AccountEvent, { type: 'AgentRegistered' }>,
    publicKey: string,
  ): void {
    if (vouchedBy === 'operator' || countersignature === null) return
    const key = this.#agents.get(vouchedBy)?.publicKey
    const email = this.#emails.get(account)
    const fault = { kind: 'signature', ...at(recorded), reason: 'the countersignature is not that of the agent that vouches' } as const
    if (typeof key !== 'string' || email === undefined)
      this.#report({ ...fault, reason: 'the agent that vouches, or the account, is unknown' })
    else this.#signatures.check(key, countersignText(email, publicKey), countersignature, fault)
  }

  #expectPlace(recorded: RecordedEvent, account: AccountId, name: string): void {
    this.#expectStream(recorded, account)
    if (recorded.id !== uuidV5(name)) this.#report({ kind: 'id', ...at(recorded), reason: 'its id is not that of such an event' })
  }

  #expectStream(recorded: RecordedEvent, account: AccountId): void {
    if (recorded.stream !== accountStream(account))
      this.#report({ kind: 'format', ...at(recorded), reason: 'it is in the stream of another account' })
  }
}

const at = ({ stream, revision }: At): At => ({ stream, revision })

const wrongAuthor = (agent: KnownAgent, account: AccountId | undefined, time: number): string | undefined => {
  if (agent.account !== account) return 'its agent is enrolled for another account than the event says'
  if (agent.revoked !== undefined && time > agent.revoked + REVOCATION_GRACE_MS) return 'its agent had been revoked before'
  return undefined
}
