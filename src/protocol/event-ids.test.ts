import { describe, expect, test } from 'vitest'
import type { AgentKey, FolderId } from '../domain/events.ts'
import { accountIdOf, eventId, fileIdOf, folderIdOf, normalizeEmail, uuidV5 } from './event-ids.ts'

// Of the right form.
const AGENT = '6C19A781148814833ED25840B7A07BA7' as AgentKey
const FOLDER = '0123456789abcdef0123456789abcdef' as FolderId

describe('ids', () => {
  test('RFC 9562, appendix A.4: a UUIDv5 in the namespace of DNS', () => {
    expect(uuidV5('www.example.com', '6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2')
  })

  test("an event's id depends on every part, and on nothing else", () => {
    const id = eventId(AGENT, 'e', 1, 2, 3, 'leaf')
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(eventId(AGENT, 'e', 1, 2, 3, 'leaf')).toBe(id)
    const others = [
      eventId(AGENT, 'f', 1, 2, 3, 'leaf'),
      eventId(AGENT, 'e', 12, 2, 3, 'leaf'),
      eventId(AGENT, 'e', 1, 22, 3, 'leaf'),
      eventId(AGENT, 'e', 1, 2, 33, 'leaf'),
    ]
    expect(new Set([id, ...others, eventId(AGENT, 'e', 1, 2, 3, 'other')]).size).toBe(6)
  })

  test("a file's id holds its folder and the revision that made it", () => {
    expect(fileIdOf(FOLDER, 255)).toMatch(/^[0-9a-f]{16}00000000000000ff$/)
    expect(fileIdOf(FOLDER, 1) < fileIdOf(FOLDER, 2 ** 40)).toBe(true)
  })

  test('one address makes one account, however it is written', () => {
    expect(normalizeEmail('  Ana@Example.ORG ')).toBe('ana@example.org')
    expect(accountIdOf('Ana@Example.ORG')).toBe(accountIdOf('ana@example.org'))
    expect(folderIdOf(accountIdOf('ana@example.org'), 'default')).toMatch(/^[0-9a-f]{32}$/)
    expect(folderIdOf(accountIdOf('a@b'), 'default')).not.toBe(folderIdOf(accountIdOf('c@d'), 'default'))
  })
})
