import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import type { Hash } from '../domain/content.ts'
import type { FolderId } from '../domain/events.ts'
import { checkpointPage, signCheckpoint } from '../protocol/folder-checkpoint.ts'
import { witnessPage } from '../protocol/folder-witness.ts'
import { receiptStatement, signReceipts } from '../protocol/receipt.ts'
import { createKeyPair } from '../protocol/signing.ts'
import { readOutside } from './outside.ts'

const keys = (seed: number) => createKeyPair(Buffer.alloc(32, seed))
const [gateway, device, stranger] = [keys(1), keys(2), keys(3)]
// Of the forms that ids and hashes have.
const folder = 'f'.repeat(32) as FolderId
const [chain, earlier] = ['a'.repeat(64) as Hash, 'b'.repeat(64) as Hash]
const seen = { folder, position: 9, chain, time: '2026-11-23T12:00:00.000Z', gatewayKey: gateway.publicKey }

const receiptBy = (signer: typeof gateway, of: FolderId = folder) =>
  signReceipts([receiptStatement(of, chain, [], 7, earlier), receiptStatement(of, earlier, [], 8, chain)], signer)[0]
const wrong = (text: string): string => {
  const read = readOutside(text, 'page.json')
  return E.isLeft(read) ? read.left : 'nothing'
}

describe('what was kept elsewhere', () => {
  it('is a checkpoint of the gateway', () => {
    const page = checkpointPage(signCheckpoint(seen, gateway))
    expect(readOutside(page, 'page.json')).toMatchObject(
      E.right({ gatewayKey: gateway.publicKey, claims: [{ stream: `folder-${folder}`, revision: 9, chain, kind: 'checkpoint' }] }),
    )
    expect(wrong(page.replace('"Position": 9', '"Position": 8'))).toContain('altered')
  })

  it('or what a device has seen, with the receipt that the gateway gave it', () => {
    const page = witnessPage({ ...seen, receipt: receiptBy(gateway) }, device)
    const read = readOutside(page, 'page.json')
    expect(read).toMatchObject(
      E.right({
        gatewayKey: gateway.publicKey,
        claims: [
          { revision: 9, chain, kind: 'witness' },
          { revision: 7, chain: earlier, kind: 'checkpoint' },
        ],
      }),
    )
    expect(JSON.stringify(read)).toContain(device.key)
    expect(readOutside(witnessPage({ ...seen, receipt: undefined }, device), '')).toMatchObject(E.right({ claims: [{ kind: 'witness' }] }))
  })

  it('is refused where it was altered, or holds what another has signed', () => {
    const page = witnessPage({ ...seen, receipt: receiptBy(gateway) }, device)
    expect(wrong(page.replace('"Position": 9', '"Position": 8'))).toContain('altered')
    expect(wrong(page.replace(device.publicKey, stranger.publicKey))).toContain('altered')
    expect(wrong(witnessPage({ ...seen, receipt: receiptBy(stranger) }, device))).toContain('receipt')
    // Of the form of an id.
    expect(wrong(witnessPage({ ...seen, receipt: receiptBy(gateway, '0'.repeat(32) as FolderId) }, device))).toContain('another folder')
    expect(wrong('{}')).toContain('Folder')
    expect(wrong('no JSON')).toContain('not JSON')
  })
})
