import { describe, expect, it } from 'vitest'
import type { AdminEvent } from '../../compose/audit-account-log.ts'
import { nameBook } from '../../audit/names.ts'
import type { AccountId, AgentKey } from '../../domain/events.ts'
import { ADMIN_COLUMNS, adminJson, adminRecord } from './admin-words.ts'

// Of the forms that ids have.
const [account, agent] = ['a'.repeat(32) as AccountId, 'B'.repeat(32) as AgentKey]
const names = nameBook([], [{ agent, account, name: 'laptop, old' }], [])
const told = (event: AdminEvent['event']): AdminEvent => ({ stream: `account-${account}`, revision: 4, time: 0, agent, event })

describe("an account's event in a table", () => {
  it('has its columns, and cells that no spreadsheet runs', () => {
    const record = adminRecord(names, told({ type: 'AgentRenamed', agent, name: '=cmd' }))
    expect(ADMIN_COLUMNS).toHaveLength(8)
    expect(record).toBe(
      `account-${account},4,1970-01-01T00:00:00.000Z,AgentRenamed,${agent},"laptop, old",BBBBBBBB is =cmd,"{""agent"":""${agent}"",""name"":""=cmd""}"\r\n`,
    )
  })

  it('never has what a password can be tried against', () => {
    const event = told({ type: 'AccountRegistered', account, email: 'a@b.c', verifier: 'scrypt' })
    for (const text of [adminRecord(names, event), adminJson(names, event)]) {
      expect(text).toContain('a@b.c')
      expect(text).not.toContain('scrypt')
    }
  })
})
