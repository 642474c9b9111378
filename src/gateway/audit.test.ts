import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { bytesOf, creating, enrol, gatewayWorld, type Enrolled } from '../../test/support/gateway.ts'
import type { AccountId } from '../domain/events.ts'
import type { HistoryQuery } from '../domain/history.ts'
import { accountIdOf } from '../protocol/event-ids.ts'
import { readCheckpoint } from '../protocol/folder-checkpoint.ts'
import { decodeHistoryResult } from '../protocol/history-result.ts'
import type { Json } from '../protocol/json.ts'
import { decodeLogPage } from '../protocol/log-page.ts'
import { createKeyPair } from '../protocol/signing.ts'
import { accountStream, folderStream } from '../protocol/streams.ts'

const inside = (...texts: string[]) => ({ contents: texts.map(bytesOf) })

const asks = async (device: Enrolled, query: HistoryQuery, folder = device.folder) => {
  const { answer, payload } = await device.ask({ tag: 'Audit', key: device.key, folder, query })
  if (answer.tag !== 'Audited') return answer
  const result = decodeHistoryResult(query.ask, JSON.parse(Buffer.from(payload).toString()) as Json)
  return E.isRight(result) ? result.right : result.left
}

const reads = async (device: Enrolled, stream: string, from = 0, max = 100) => {
  const { answer, payload } = await device.ask({ tag: 'ReadLog', key: device.key, stream, from, max })
  const page = decodeLogPage(payload)
  return answer.tag === 'LogPage' && E.isRight(page) ? page.right : answer
}

const twoAccounts = async () => {
  const world = await gatewayWorld()
  const [ada, eve] = [await enrol(world, 1), await enrol(world, 2, 'eve@b.c')]
  await ada.change([creating('a', 'one'), creating('d/b', 'two')], inside('one', 'two'))
  return { world, ada, eve }
}

describe('an agent that audits through its gateway', () => {
  it('is told of its own folders', async () => {
    const { ada } = await twoAccounts()
    expect(await asks(ada, { ask: 'head' })).toEqual({ ask: 'head', revision: 3 })
    expect(await asks(ada, { ask: 'tree', at: 3, after: undefined, max: 2 })).toMatchObject({
      page: { entries: [{ path: 'a' }, { path: 'd' }], next: 'd' },
    })
    expect(await asks(ada, { ask: 'events', query: { types: ['FileCreated'], from: 0, to: 9, max: 10 } })).toMatchObject({
      page: { events: [{ path: 'a', revision: 1 }, { path: 'd' }, { path: 'd/b' }] },
    })
  })

  it('reads its streams as the log has them, but never what proves its password', async () => {
    const { world, ada } = await twoAccounts()
    const stream = folderStream(ada.folder)
    const recorded = (world.storage.streams.get(stream) ?? []).map(({ revision, id, type, data, metadata, chain }) => ({
      revision,
      id,
      type,
      data,
      metadata,
      chain,
    }))
    expect(await reads(ada, stream)).toEqual(recorded)
    expect(await reads(ada, stream, 1, 2)).toEqual(recorded.slice(1, 3))
    expect(await reads(ada, stream, -1)).toEqual(recorded.slice(-1))
    const account = await reads(ada, accountStream(accountIdOf('a@b.c')))
    const known = world.storage.streams.get(accountStream(accountIdOf('a@b.c'))) ?? []
    expect(account).toMatchObject([
      { type: 'AccountRegistered', data: '', chain: known[0]?.chain },
      { type: 'AgentRegistered', data: known[1]?.data, chain: known[1]?.chain },
    ])
    expect(JSON.stringify(account)).not.toContain('verifier')
  })

  it('gets the gateway’s signed word on where its folder stands', async () => {
    const { world, ada } = await twoAccounts()
    const answer = await asks(ada, { ask: 'checkpoint' })
    const read = readCheckpoint('text' in answer ? answer.text : '')
    const last = world.storage.streams.get(folderStream(ada.folder))?.at(-1)
    expect(read).toMatchObject(
      E.right({
        folder: ada.folder,
        position: last?.revision,
        chain: last?.chain,
        gatewayKey: createKeyPair(Buffer.alloc(32, 7)).publicKey,
      }),
    )
  })

  it('is refused whatever is not its own', async () => {
    const { ada, eve } = await twoAccounts()
    const refusal = { tag: 'Refused', status: 403, code: 'folder' }
    const queries: readonly HistoryQuery[] = [{ ask: 'head' }, { ask: 'checkpoint' }, { ask: 'released', versions: [1] }]
    for (const query of queries) expect(await asks(eve, query, ada.folder)).toMatchObject(refusal)
    const account: AccountId = accountIdOf('a@b.c')
    for (const stream of [folderStream(ada.folder), accountStream(account), `agent-${ada.key}`, 'packs', 'gateway', 'folder-', ''])
      expect(await reads(eve, stream)).toMatchObject(refusal)
  })
})
