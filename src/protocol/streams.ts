import type { AccountId, AgentKey, FolderId } from '../domain/events.ts'

/** The stream that says where packed chunks lie. */
export const PACKS = 'packs'
/** The gateway's own stream: its checkpoints. */
export const GATEWAY = 'gateway'

export const folderStream = (folder: FolderId): string => `folder-${folder}`
export const accountStream = (account: AccountId): string => `account-${account}`
export const agentStream = (agent: AgentKey): string => `agent-${agent}`
