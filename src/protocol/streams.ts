import type { AccountId, AgentKey, FolderId } from '../domain/events.ts'

/** The stream that says where packed chunks lie. */
export const PACKS = 'packs'
/** The gateway's own stream: its checkpoints. */
export const GATEWAY = 'gateway'

const FOLDER = 'folder-'
const ACCOUNT = 'account-'
const AGENT = 'agent-'

/** What the names of all other streams start with. */
export const STREAM_KINDS: readonly string[] = [FOLDER, ACCOUNT, AGENT]

export const folderStream = (folder: FolderId): string => `${FOLDER}${folder}`
export const accountStream = (account: AccountId): string => `${ACCOUNT}${account}`
export const agentStream = (agent: AgentKey): string => `${AGENT}${agent}`

// Only `folderStream` and `agentStream` name streams so.
export const folderOfStream = (stream: string): FolderId | undefined =>
  stream.startsWith(FOLDER) ? (stream.slice(FOLDER.length) as FolderId) : undefined
export const ownerOfAgentStream = (stream: string): AgentKey | undefined =>
  stream.startsWith(AGENT) ? (stream.slice(AGENT.length) as AgentKey) : undefined
