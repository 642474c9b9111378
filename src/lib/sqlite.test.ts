import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, transaction } from './sqlite.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sqlite-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const opened = () => openDatabase(join(directory, 'a.db'), { synchronous: 'FULL' })

describe('openDatabase', () => {
  it('sets the journal, the durability and the busy timeout', () => {
    using db = opened()
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
    expect(db.prepare('PRAGMA busy_timeout').get()).toEqual({ timeout: 5000 })
    expect(db.prepare('PRAGMA wal_autocheckpoint').get()).toEqual({ wal_autocheckpoint: 16384 })
  })

  it('reads beside a writer without writing', () => {
    using db = opened()
    db.exec('CREATE TABLE a (x)')
    using reader = openDatabase(join(directory, 'a.db'), { synchronous: 'FULL', readOnly: true })
    db.exec('INSERT INTO a VALUES (1)')
    expect(reader.prepare('SELECT x FROM a').all()).toEqual([{ x: 1 }])
    expect(() => reader.exec('DELETE FROM a')).toThrow(/readonly/)
  })
})

describe('transaction', () => {
  it('keeps all or nothing', () => {
    using db = opened()
    db.exec('CREATE TABLE a (x)')
    expect(transaction(db, () => db.prepare('INSERT INTO a VALUES (1)').run().changes)).toBe(1)
    const failing = () =>
      transaction(db, () => {
        db.exec('INSERT INTO a VALUES (2)')
        throw new Error('no')
      })
    expect(failing).toThrow('no')
    expect(db.prepare('SELECT x FROM a').all()).toEqual([{ x: 1 }])
    expect(db.isTransaction).toBe(false)
  })

  it('is a part of the transaction around it', () => {
    using db = opened()
    db.exec('CREATE TABLE a (x)')
    const failing = () =>
      transaction(db, () => {
        transaction(db, () => db.exec('INSERT INTO a VALUES (1)'))
        throw new Error('no')
      })
    expect(failing).toThrow('no')
    expect(db.prepare('SELECT x FROM a').all()).toEqual([])
  })
})
