import type { DatabaseSync } from 'node:sqlite'
import type { AccountEvent, AccountId, AgentKey, FolderId } from '../../domain/events.ts'
import { createLatest, type Latest } from '../../lib/latest.ts'
import type { Account, Agent, Directory, Folder } from '../port.ts'

/** The directory, and how it is written. */
export interface DirectoryTables extends Directory {
  /** `time`: the gateway's clock at the event. */
  fold(event: AccountEvent, time: number): void
  addFolder(folder: Folder): void
}

interface AgentRow {
  readonly key: AgentKey
  readonly account: AccountId
  readonly name: string
  readonly public_key: string | null
  readonly registered: number
  readonly revoked: number
}

// The rows below have the columns that their statements name, written from events that were checked when they were decoded.
const toAgent = (row: unknown): Agent => {
  const { key, account, name, public_key: publicKey, registered, revoked } = row as AgentRow
  return { key, account, name, publicKey, registered, revoked: revoked !== 0 }
}
const toAccount = (row: unknown): Account => ({ ...(row as Account) })
const toFolder = (row: unknown): Folder => ({ ...(row as Folder) })

const AGENT = 'SELECT key, account, name, public_key, registered, revoked FROM agents'
const FOLDER = 'SELECT folder, account, name FROM folders'

/** Agents and folders that requests came from: each asks for both several times. */
const REMEMBERED = 4096

export const prepareDirectory = (db: DatabaseSync): DirectoryTables => {
  const account = db.prepare('SELECT account, email, verifier FROM accounts WHERE account = ?')
  const agent = db.prepare(`${AGENT} WHERE key = ?`)
  const agentsOf = db.prepare(`${AGENT} WHERE account = ? ORDER BY registered, key`)
  const folder = db.prepare(`${FOLDER} WHERE folder = ?`)
  const foldersOf = db.prepare(`${FOLDER} WHERE account = ? ORDER BY id`)
  const addFolder = db.prepare('INSERT INTO folders (folder, account, name) VALUES (?, ?, ?)')
  const found = <A>(row: unknown, to: (row: unknown) => A): A | undefined => (row === undefined ? undefined : to(row))
  const agents = createLatest<AgentKey, Agent>(REMEMBERED)
  const folders = createLatest<FolderId, Folder>(REMEMBERED)
  const fold = foldAccounts(db)
  return {
    account: (id) => found(account.get(id), toAccount),
    agent: (key) => agents.get(key) ?? remembered(agents, key, found(agent.get(key), toAgent)),
    agentsOf: (id) => agentsOf.all(id).map(toAgent),
    folder: (id) => folders.get(id) ?? remembered(folders, id, found(folder.get(id), toFolder)),
    foldersOf: (id) => foldersOf.all(id).map(toFolder),
    addFolder: ({ folder: id, account: owner, name }) => void addFolder.run(id, owner, name),
    fold: (event, time) => {
      fold(event, time)
      // Of the whole account: what is remembered must not outlive a revocation.
      agents.clear()
    },
  }
}

const remembered = <K, V>(latest: Latest<K, V>, key: K, value: V | undefined): V | undefined => {
  if (value !== undefined) latest.set(key, value)
  return value
}

const foldAccounts = (db: DatabaseSync): DirectoryTables['fold'] => {
  const register = db.prepare('INSERT INTO accounts (account, email, verifier) VALUES (?, ?, ?)')
  const enrol = db.prepare(
    'INSERT INTO agents (key, account, name, public_key, registered, revoked) VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING',
  )
  const rename = db.prepare('UPDATE agents SET name = ? WHERE key = ?')
  const revoke = db.prepare('UPDATE agents SET revoked = 1 WHERE key = ?')
  return (event, time) => {
    switch (event.type) {
      case 'AccountRegistered':
        return void register.run(event.account, event.email, event.verifier)
      case 'AgentRegistered':
        return void enrol.run(event.agent, event.account, event.name, event.publicKey, time)
      case 'AgentRenamed':
        return void rename.run(event.name, event.agent)
      case 'AgentRevoked':
        return void revoke.run(event.agent)
      case 'SignInsRefused':
    }
  }
}
