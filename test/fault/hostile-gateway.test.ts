import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Change } from '../../src/domain/change.ts'
import type { Content } from '../../src/domain/content.ts'
import type { JsonObject } from '../../src/protocol/json.ts'
import { contentHash } from '../../src/protocol/merkle.ts'
import { signReceipts } from '../../src/protocol/receipt.ts'
import { createKeyPair } from '../../src/protocol/signing.ts'
import { path } from '../support/disk.ts'
import { bytesOf, chunkOf, creating, textFile, updating } from '../support/gateway.ts'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { Device, World } from '../support/world.ts'
import { edited, HostileGateway } from './support/hostile-gateway.ts'

/** Real agents of gateways that lie; only the place for them is shared. */
let world: World
let gateway: HostileGateway
let victim: Device
let victims = 0
beforeAll(async () => {
  world = await World.create()
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  gateway = await HostileGateway.start()
  victim = new Device(world, `victim${(victims += 1)}`)
  expect(await victim.register({ url: gateway.url })).toMatchObject({ code: 0 })
  rmSync(outside(), { recursive: true, force: true })
  mkdirSync(outside())
})
afterEach(async () => {
  await victim.agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const outside = (): string => join(world.root, 'outside')

const symlinkTo = (target: string): Content => ({ ...textFile(target), kind: 'symlink' })
const putting = (at: string, content: Content): Change => ({ tag: 'create', path: path(at), content, base: 'any' })
const publish = async (changes: readonly Change[], ...texts: (string | Buffer)[]): Promise<void> => {
  const answer = await gateway.friend.change(changes, { contents: texts.map((text) => Buffer.from(text)) })
  expect(answer).toMatchObject({ tag: 'Changed' })
  if (answer.tag === 'Changed') for (const outcome of answer.outcomes) expect(outcome).toMatchObject({ status: 200 })
}

/** Renames in what Sync tells: the gateway would not have taken these names itself. */
const renaming =
  (names: Readonly<Record<string, string>>) =>
  (object: JsonObject): JsonObject => {
    const { OriginalName: name } = object
    return typeof name === 'string' && names[name] !== undefined ? { ...object, OriginalName: names[name] } : object
  }

test('I11: entries with paths that are none: nothing is written, and the rest comes once they are honest', async () => {
  await publish([creating('bad', 'evil'), creating('good', 'fine')], 'evil', 'fine')
  // Each decoder's own tests know many more.
  const bad = ['../outside/x', `${world.root}/outside/x`, '.eventsync/marker', 'nul\0x']
  let at = 0
  gateway.lie = ({ Action: action }, answer) =>
    action === 'Sync'
      ? { ...answer, message: edited(answer.message, renaming({ bad: bad[at++ % bad.length] ?? '' })) as JsonObject }
      : undefined
  await victim.start()
  await until('each of them to have been told', () => gateway.asked('Sync').length >= bad.length, 60)
  expect(await victim.status()).toMatchObject({
    inSync: false,
    position: -1,
    lastError: expect.stringMatching(/answer cannot be read.*OriginalName/) as string,
  })
  expect(pathsOf(victim.folder)).toEqual([])
  expect(readdirSync(outside())).toEqual([])
  expect(existsSync('/etc/eventsync-test')).toBe(false)
  gateway.lie = () => undefined
  await victim.settle(30)
  expect(pathsOf(victim.folder)).toEqual(['bad', 'good'])
})

test('I11: a symlink for a parent, in the log itself or only in what is told of it', async () => {
  await publish(
    [putting('l', symlinkTo(outside())), creating('later', 'x'), creating('d/x', 'evil'), creating('good', 'fine')],
    outside(),
    'x',
    'evil',
    'fine',
  )
  gateway.lie = ({ Action: action }, answer) =>
    action === 'Sync'
      ? { ...answer, message: edited(answer.message, renaming({ 'd/x': 'l/x', later: 'l/deep/er' })) as JsonObject }
      : undefined
  await victim.start()
  await until('the honest part', () => existsSync(victim.path('good')) && existsSync(victim.path('l')))
  const status = await until('the rest to be named', async () => {
    const now = await victim.status()
    return now.problems.length >= 2 ? now : undefined
  })
  expect(status.problems.map((problem) => problem.path).toSorted()).toEqual(['l/deep/er', 'l/x'])
  expect(status.inSync).toBe(false)
  expect(readdirSync(outside())).toEqual([])
})

test('bytes, sizes and manifests that lie', async () => {
  const [one, two] = [bytesOf('first piece'), bytesOf('second piece')]
  const pair: Content = {
    ...textFile(''),
    size: one.length + two.length,
    hash: textFile('').hash,
    manifest: { tag: 'chunks', chunks: [chunkOf(one), chunkOf(two)] },
  }
  const large = { ...pair, hash: contentHash([chunkOf(one), chunkOf(two)]) }
  await publish(
    [
      creating('flipped', 'flipped'),
      creating('shorter', 'shorter'),
      creating('missing', 'missing'),
      putting('pieces', large),
      putting('cut', large),
      creating('good', 'fine'),
    ],
    'flipped',
    'shorter',
    'missing',
    one,
    two,
    'fine',
  )
  let honest = false
  gateway.lie = ({ Action: action }, answer) => {
    if (honest) return undefined
    if (action === 'Sync')
      return {
        ...answer,
        message: edited(answer.message, (object) => {
          if (object['OriginalName'] === 'shorter') return { ...object, Size: '3' }
          // Cut behind the first piece and a half: the chunks are right, and the content is none that ever was.
          if (object['OriginalName'] === 'cut') return { ...object, Size: String(one.length + 4) }
          if (object['OriginalName'] === 'missing')
            return {
              ...object,
              Size: String(90 * 1024 ** 3),
              Chunks: undefined as never,
              Manifest: { Hash: textFile('missing').hash, Size: 4_194_288 },
            }
          return object
        }) as JsonObject,
      }
    if (action !== 'Open') return undefined
    const payload = Buffer.from(answer.payload)
    const at = payload.indexOf('flipped')
    if (at >= 0) payload[at] = 0
    return { ...answer, payload }
  }
  await victim.start()
  await until('the honest part', () => existsSync(victim.path('good')) && existsSync(victim.path('pieces')))
  await until('the rest to be named', async () => (await victim.status()).problems.length >= 4)
  expect((await victim.status()).problems.map((problem) => problem.path).toSorted()).toEqual(['cut', 'flipped', 'missing', 'shorter'])
  expect(pathsOf(victim.folder)).toEqual(['good', 'pieces'])
  expect(readFileSync(victim.path('pieces'), 'utf8')).toBe('first piecesecond piece')
  honest = true
})

test('pages without an end, positions that go back, notifications of what is not there: no endless asking, nothing undone', async () => {
  await publish([creating('a', 'one')], 'one')
  await victim.start()
  await victim.settle()
  const lies: readonly ((message: JsonObject) => JsonObject)[] = [
    (message) => ({ ...message, More: true, Position: 1, Changes: { Created: [], Updated: [], Deleted: [] } }),
    (message) => ({ ...message, Position: 0 }),
    (message) => ({ ...message, Position: -1, More: true }),
    (message) => ({ ...message, Position: Number(message['Head']) + 1 }),
  ]
  const pausesBetween = async (): Promise<number> => {
    const before = gateway.asked('Sync').length
    const times = await until(
      'four of them',
      () => (gateway.asked('Sync').length >= before + 4 ? gateway.asked('Sync').slice(before) : undefined),
      30,
    )
    return (times[3] ?? 0) - (times[0] ?? 0)
  }
  let version = 1
  for (const told of lies) {
    gateway.lie = ({ Action: action }, answer) => (action === 'Sync' ? { ...answer, message: told(answer.message) } : undefined)
    await publish([updating('a', `after ${version}`, version)], `after ${version}`)
    // The pauses grow from 100 ms to 400 ms, each at least halved by chance.
    expect(await pausesBetween(), String(told)).toBeGreaterThan(250)
    expect(await victim.status()).toMatchObject({ inSync: false, position: version })
    gateway.lie = () => undefined
    await until('the honest answer to be followed', async () => (await victim.status()).inSync)
    expect(readFileSync(victim.path('a'), 'utf8')).toBe(`after ${version}`)
    version += 1
  }
  gateway.tellAll(1_000_000)
  expect(await pausesBetween()).toBeGreaterThan(250)
  expect(victim.agent.running).toBe(true)
})

test('I10: a log that was rewritten or cut is not followed, and the folder stays as it is', async () => {
  await publish([creating('a', 'one'), creating('b', 'one')], 'one')
  await victim.start()
  await victim.settle()
  gateway.lie = ({ Action: action }, answer) =>
    action === 'Sync'
      ? { ...answer, message: { ...answer.message, Head: 0, Position: 0, Changes: { Created: [], Updated: [], Deleted: [] } } }
      : undefined
  await publish([{ tag: 'delete', path: path('a'), base: 1 }])
  expect(await victim.agent.ended).toBe(6)
  expect(victim.agent.lines.join('\n')).toMatch(/the log ends at 0, before position 2/)
  expect(pathsOf(victim.folder)).toEqual(['a', 'b'])
  gateway.lie = ({ Action: action }, answer) =>
    action === 'Sync' ? { ...answer, message: { ...answer.message, Since: textFile('x').hash } } : undefined
  const again = await victim.run('agent', victim.folder, '--once')
  expect(again).toMatchObject({ code: 6 })
  expect(again.stderr).toMatch(/holds something else at position 2/)
  expect(pathsOf(victim.folder)).toEqual(['a', 'b'])
})

test.each(['another key', 'another message', 'another position', 'other outcomes'])('receipts of %s are not believed', async (what) => {
  await victim.start()
  await victim.settle()
  gateway.lie = ({ Action: action }, answer) => {
    if (action !== 'Changes') return undefined
    // The honest receipt is of this form, and its statement is JSON.
    const { Receipt: receipt } = answer.message as { readonly Receipt?: { readonly Statement: string } }
    if (receipt === undefined) throw new Error('there is a receipt')
    const statement = JSON.parse(receipt.Statement) as JsonObject
    const lies: Readonly<Record<string, JsonObject>> = {
      'another key': statement,
      'another message': { ...statement, Root: textFile('x').hash },
      'another position': { ...statement, Position: 77 },
      'other outcomes': { ...statement, Outcomes: textFile('x').hash },
    }
    const signer = what === 'another key' ? createKeyPair() : gateway.world.signer
    const [made] = signReceipts([JSON.stringify(lies[what])], signer)
    if (made === undefined) throw new Error('one receipt was asked for')
    return {
      ...answer,
      message: { ...answer.message, Receipt: { Statement: made.statement, Index: 0, Size: 1, Path: [], Signature: made.signature } },
    }
  }
  writeFileSync(victim.path('mine'), 'mine')
  expect(await victim.agent.ended).toBe(5)
  expect(victim.agent.lines.join('\n')).toMatch(/the gateway's receipt/)
  expect(readFileSync(victim.path('mine'), 'utf8')).toBe('mine')
})

test('contents that are asked for again and again are not sent all the time', async () => {
  await victim.start()
  await victim.settle()
  gateway.lie = (request, answer) =>
    request['Action'] === 'Changes'
      ? { ...answer, message: { Action: 'ServerResponse', Timestamp: 1, Status: 100, Missing: [textFile('mine').hash] } }
      : undefined
  writeFileSync(victim.path('mine'), 'mine')
  const times = await until('four of them', () => (gateway.asked('Changes').length >= 4 ? gateway.asked('Changes') : undefined), 30)
  expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300)
  gateway.lie = () => undefined
  await victim.settle(30)
})
