import { encodeChunks } from './content-codec.ts'
import type { JsonObject } from './json.ts'
import type { AgentInfo, Answer, RemoteEntry } from './messages.ts'
import { encodeEntry, encodeOutcome } from './outcome.ts'
import { encodeReceipt } from './receipt.ts'

/** An answer with its names on the wire; `timestamp` in seconds. */
export const encodeAnswer = (answer: Answer, timestamp: number): JsonObject => ({
  Action: 'ServerResponse',
  Timestamp: timestamp,
  Status: answer.status,
  ...encodeFields(answer),
})

const encodeFields = (answer: Answer): JsonObject => {
  switch (answer.tag) {
    case 'Done':
      return {}
    case 'Registered':
      return { Account: answer.account, Folder: answer.folder, GatewayKey: answer.gatewayKey }
    case 'Changed':
      return encodeChanged(answer)
    case 'SendChunks':
    case 'MissingChunks':
      return { Missing: answer.missing }
    case 'Synced':
      return encodeSynced(answer)
    case 'Opened':
      return { Chunks: encodeChunks(answer.chunks), Missing: answer.missing }
    case 'OpenedFile':
      return { File: { OriginalName: answer.path, Size: String(answer.size) } }
    case 'LogPage':
      return { Events: answer.events }
    case 'Audited':
      return { Audited: answer.ask }
    case 'AgentList':
      return { Agents: answer.agents.map(encodeAgent) }
    case 'Refused':
      return { Code: answer.code, Reason: answer.reason }
  }
}

const encodeChanged = ({ outcomes, position, receipt }: Extract<Answer, { tag: 'Changed' }>): JsonObject => ({
  Results: outcomes.map(encodeOutcome),
  Position: position,
  ...(receipt === undefined ? {} : { Receipt: encodeReceipt(receipt) }),
})

const encodeSynced = ({ entries, position, chain, since, head, more }: Extract<Answer, { tag: 'Synced' }>): JsonObject => ({
  Changes: encodeEntries(entries),
  Position: position,
  Chain: chain,
  Since: since,
  Head: head,
  More: more,
})

/** What happened to paths, in the three lists of PySync. */
export const encodeEntries = (entries: readonly RemoteEntry[]): JsonObject => {
  const live = entries.filter((entry) => entry.content !== undefined)
  return {
    Created: live.filter((entry) => entry.created === true).map(encodeEntry),
    Updated: live.filter((entry) => entry.created !== true).map(encodeEntry),
    Deleted: entries.filter((entry) => entry.content === undefined).map(encodeEntry),
  }
}

const encodeAgent = (agent: AgentInfo): JsonObject => ({
  Key: agent.key,
  Name: agent.name,
  Registered: agent.registered,
  Revoked: agent.revoked,
  Self: agent.self,
})
