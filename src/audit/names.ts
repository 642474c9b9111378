import * as E from 'fp-ts/lib/Either.js'
import type { AccountId, AgentKey } from '../domain/events.ts'
import type { HistoryError, NamedAccount, NamedAgent, NamedFolder, Names } from '../projections/history/port.ts'

/** Who and what the log's ids stand for, and what a person means by a name. */
export interface NameBook {
  readonly folders: readonly NamedFolder[]
  readonly agentName: (agent: AgentKey) => string | undefined
  readonly email: (account: AccountId) => string | undefined
  /** Agents by their name, their key, or at least 4 digits that it begins with. */
  readonly findAgents: (text: string) => readonly AgentKey[]
  readonly findAccounts: (text: string) => readonly AccountId[]
  /** A folder by its id, its name, or EMAIL:NAME; undefined: the one named default, or the only one. */
  readonly findFolder: (text: string | undefined) => E.Either<string, NamedFolder>
}

const LEAST_DIGITS = 4

export const readNameBook = async (names: Names): Promise<E.Either<HistoryError, NameBook>> => {
  const [folders, agents, accounts] = [await names.folders()(), await names.agents()(), await names.accounts()()]
  if (E.isLeft(folders)) return folders
  if (E.isLeft(agents)) return agents
  return E.map((known: readonly NamedAccount[]) => nameBook(folders.right, agents.right, known))(accounts)
}

export const nameBook = (folders: readonly NamedFolder[], agents: readonly NamedAgent[], accounts: readonly NamedAccount[]): NameBook => {
  const agentNames = new Map(agents.map(({ agent, name }) => [agent, name]))
  const emails = new Map(accounts.map(({ account, email }) => [account, email]))
  const email = (account: AccountId): string | undefined => emails.get(account)
  return {
    folders,
    agentName: (agent) => agentNames.get(agent),
    email,
    findAgents: (text) => {
      const key = text.toUpperCase()
      return agents
        .filter(({ agent, name }) => name === text || (text.length >= LEAST_DIGITS && agent.startsWith(key)))
        .map(({ agent }) => agent)
    },
    findAccounts: (text) =>
      accounts.filter(({ account, email: known }) => account === text || known === text.trim().toLowerCase()).map(({ account }) => account),
    findFolder: (text) => {
      const called = ({ folder, account, name }: NamedFolder, wanted: string): boolean =>
        folder === wanted || name === wanted || `${email(account) ?? account}:${name}` === wanted
      const named = folders.filter((folder) => called(folder, text ?? 'default'))
      const found = named.length === 0 && text === undefined ? folders : named
      const [only, another] = found
      const all = folders.map(({ folder, account, name }) => `${email(account) ?? account}:${name} (${folder})`)
      if (only === undefined)
        return E.left(all.length === 0 ? 'the log has no folder yet' : `there is no folder ${text ?? ''}: there are ${listed(all)}`)
      return another === undefined
        ? E.right(only)
        : E.left(`more than one folder is called ${text ?? 'default'}: name one by --folder with EMAIL:NAME or its id: ${listed(all)}`)
    },
  }
}

const MOST = 20
const listed = (texts: readonly string[]): string =>
  `${texts.slice(0, MOST).join(', ')}${texts.length > MOST ? ` and ${texts.length - MOST} more` : ''}`
