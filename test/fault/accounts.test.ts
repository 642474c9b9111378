import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/protocol/json.ts'
import type { Answer } from '../../src/protocol/messages.ts'
import { createKeyPair, registrationProofText, signInText } from '../../src/protocol/signing.ts'
import { encodeRequest } from '../../src/protocol/request.ts'
import { bytesOf, creating, textFile } from '../support/gateway.ts'
import { until } from '../support/wait.ts'
import { World } from '../support/world.ts'
import { Client, Line, registration } from './support/client.ts'

const ADA = 'ada@example.org'
const EVE = 'eve@example.org'
const SECRET = 'a password that nobody may see'

const refusedWith = (code: string): object => ({ tag: 'Refused', status: 403, code })

/** One gateway for all of these: attempts at passwords count by address, so each test has few. */
describe('who is who', () => {
  let world: World
  let ada: Client
  let eve: Client
  beforeAll(async () => {
    world = await World.create()
    ada = await Client.enrol(world.url, 'ada2@example.org', SECRET)
    eve = await Client.enrol(world.url, EVE, 'x')
  })
  afterAll(async () => {
    await ada[Symbol.asyncDispose]()
    await eve[Symbol.asyncDispose]()
    await world[Symbol.asyncDispose]()
  })

  test('a key is enrolled only by who holds it, under its own name', async () => {
    await using line = new Line(world.url)
    const mine = createKeyPair()
    const other = createKeyPair()
    const tries: readonly [Partial<Parameters<typeof registration>[3]>, string][] = [
      // Somebody else's public key, with a proof of one's own.
      [
        { key: ada.signer.key, publicKey: ada.signer.publicKey, proof: mine.sign(registrationProofText(EVE, ada.signer.publicKey)) },
        'signature',
      ],
      // Their proof for their account, as anybody may have seen it.
      [
        {
          key: ada.signer.key,
          publicKey: ada.signer.publicKey,
          proof: ada.signer.sign(registrationProofText('ada2@example.org', ada.signer.publicKey)),
        },
        'signature',
      ],
      [{ key: other.key }, 'format'],
      [{ key: ada.signer.key }, 'format'],
      [{ proof: mine.sign('eventsync-register') }, 'signature'],
      [{ publicKey: undefined, proof: undefined }, 'passwordClients'],
      [{ vouchedBy: ada.signer.key, countersignature: ada.signer.sign('anything') }, 'signature'],
    ]
    for (const [otherwise, code] of tries)
      expect(await line.ask(registration(mine, EVE, 'x', otherwise)), JSON.stringify(otherwise)).toMatchObject({ tag: 'Refused', code })
    const listed = await eve.line.ask({ tag: 'Agents', key: eve.signer.key })
    expect(listed).toMatchObject({ agents: [{ key: eve.signer.key }] })
  })

  test('an enrolled key stays with its account', async () => {
    await using line = new Line(world.url)
    const { signer } = ada
    const proof = signer.sign(registrationProofText(EVE, signer.publicKey))
    expect(await line.ask(registration(signer, EVE, 'x', { proof }))).toMatchObject(refusedWith('agent'))
  })

  test("nobody acts without a sign-in, as another agent, or by another connection's sign-in", async () => {
    const { key } = ada.signer
    await using anonymous = new Line(world.url)
    expect(await anonymous.ask({ tag: 'Agents', key })).toMatchObject(refusedWith('agent'))
    expect(await eve.line.ask({ tag: 'Agents', key })).toMatchObject(refusedWith('agent'))
    expect(await eve.line.ask({ tag: 'Sync', key, folder: ada.folder, position: -1, chain: '' })).toMatchObject(refusedWith('agent'))
    const [nonce] = ada.line.nonces
    const replayed = encodeRequest({ tag: 'SignIn', key, nonce: nonce ?? '', signature: ada.signer.sign(signInText(nonce ?? '', key)) }, 1)
    expect((await anonymous.say(replayed)).message).toMatchObject({ Status: 403, Code: 'signature' })
    // The nonce of this connection, signed by somebody else.
    const asked: JsonObject[] = []
    const forging = (own: string): JsonObject => {
      const request = encodeRequest({ tag: 'SignIn', key, nonce: own, signature: eve.signer.sign(signInText(own, key)) }, 1)
      asked.push(request)
      return request
    }
    await using forged = new Line(world.url, ada.signer, forging)
    await expect(forged.ask({ tag: 'Agents', key })).rejects.toThrow(/SignInRefused/)
    expect(asked.length).toBeGreaterThan(0)
  })

  test("another account's folder and agents: refused, and no word on whether there is such a one", async () => {
    const { key } = eve.signer
    const words = async (folder: typeof ada.folder): Promise<Answer[]> => [
      await eve.sync(-1, folder),
      await eve.missing([textFile('x').hash], folder),
      await eve.change([creating('a', 'x')], [bytesOf('x')], { folder }),
      (await eve.open(1, [textFile('x').hash], folder)).answer,
      await eve.line.ask({ tag: 'Synced', key, folder, position: 1, chain: textFile('x').hash, signature: eve.signer.sign('x') }),
      await eve.line.ask({ tag: 'Chunks', key, folder, chunks: [] }),
    ]
    const theirs = await words(ada.folder)
    for (const answer of theirs) expect(answer).toMatchObject(refusedWith('folder'))
    // No folder of anybody: the same words.
    expect(await words('00000000000000000000000000000000' as typeof ada.folder)).toEqual(theirs)
    const target = ada.signer.key
    const revoking = await eve.line.ask({ tag: 'RevokeAgent', key, target, reason: 'x' })
    expect(revoking).toMatchObject({ status: 404 })
    expect(await eve.line.ask({ tag: 'RenameAgent', key, target, name: 'x' })).toEqual(revoking)
    expect(await eve.line.ask({ tag: 'RevokeAgent', key, target: createKeyPair().key, reason: 'x' })).toEqual(revoking)
    expect(await ada.sync()).toMatchObject({ tag: 'Synced' })
  })

  test('an agent that is revoked while connected can do nothing more, on no connection', async () => {
    const victim = createKeyPair()
    const thief = await Client.enrol(world.url, EVE, 'x', victim)
    await using _ = thief
    await using second = new Line(world.url, victim)
    const content = bytesOf('before')
    expect(await thief.change([creating('before', 'before')], [content])).toMatchObject({ tag: 'Changed' })
    expect(await second.ask({ tag: 'Agents', key: victim.key })).toMatchObject({ tag: 'AgentList' })
    // Requests under way while it is revoked are answered as one of an entitled agent, or not at all; nothing is appended after the revocation.
    const racing = Array.from({ length: 30 }, (_, n) => thief.change([creating(`race ${n}`, 'before')], [], {}).catch(() => undefined))
    expect(await eve.line.ask({ tag: 'RevokeAgent', key: eve.signer.key, target: victim.key, reason: 'stolen' })).toMatchObject({
      tag: 'Done',
    })
    const after = await eve.sync()
    await Promise.all(racing)
    const { key } = victim
    for (const line of [thief.line, second]) {
      const asked = line.ask({ tag: 'Agents', key }).then(
        (answer) => answer.status,
        (error: unknown) => String(error),
      )
      expect(String(await asked)).toMatch(/403|revoked/)
    }
    await expect(thief.change([creating('after', 'before')])).rejects.toThrow(/revoked/)
    await expect(thief.upload([bytesOf('bytes of a revoked agent')])).rejects.toThrow(/revoked/)
    expect(await eve.sync()).toMatchObject({ head: after.tag === 'Synced' ? after.head : NaN })
    // Nor does the password bring the key back.
    await using anonymous = new Line(world.url)
    expect(await anonymous.ask(registration(victim, EVE, 'x'))).toMatchObject(refusedWith('revoked'))
  })

  test('addresses of odd forms are one account in one spelling, or none', async () => {
    await using line = new Line(world.url)
    const good = [
      '  Odd.One+tag@Example.ORG ',
      'ödd@exämple.org',
      '😀@example.org',
      'o\'neil"--;@example.org',
      'a\\b%00@example.org',
      '__proto__@constructor',
      `${'a'.repeat(240)}@example.org`,
    ]
    for (const email of good) {
      const made = await line.ask({ tag: 'RegisterUser', email, password: 'y' })
      expect(made, email).toMatchObject({ status: 200 })
      expect(await line.ask({ tag: 'RegisterUser', email: ` ${email.toUpperCase()}`, password: 'y' }), email).toEqual(made)
      expect(await line.ask(registration(createKeyPair(), email, 'y')), email).toMatchObject({ tag: 'Registered' })
    }
    const bad = [
      '',
      '@',
      'a@',
      '@b',
      'no at sign',
      'two@at@signs',
      'nul\0@example.org',
      'line\nbreak@example.org',
      'sp ace@example.org',
      '\u001b[2J@example.org',
      '\ud800@example.org',
      `${'a'.repeat(250)}@example.org`,
    ]
    for (const email of bad) {
      const { message } = await line.say({ Action: 'RegisterUser', Timestamp: 1, Agent: { User: { Email: email, Password: SECRET } } })
      expect(message, JSON.stringify(email)).toMatchObject({ Status: 400, Code: 'format' })
      expect(message['Reason']).toMatch(/Agent\.User\.Email/)
      if (email.length > 1) expect(message['Reason']).not.toContain(email)
    }
    for (const password of ['', 'p'.repeat(1025), 17, null, ['x'], { toString: 'x' }]) {
      const { message } = await line.say({
        Action: 'RegisterAgent',
        Timestamp: 1,
        Agent: { Key: ada.signer.key, User: { Email: ADA, Password: password } },
      })
      expect(message).toMatchObject({ Status: 400, Code: 'format' })
      expect(message['Reason']).toMatch(/Password/)
    }
  })

  test('no secret is in what the gateway says or logs', async () => {
    await using line = new Line(world.url)
    const { message } = await line.say({
      Action: 'RegisterAgent',
      Timestamp: 1,
      Agent: { Key: ada.signer.key, User: { Email: 'ada2@example.org', Password: `${SECRET}!` }, PublicKey: 'x' },
    })
    expect(message).toMatchObject({ Status: 400 })
    const said = [JSON.stringify(message), ...world.gateway.lines].join('\n')
    for (const secret of [SECRET, 'correct horse', 'scrypt$', 'PRIVATE KEY']) expect(said).not.toContain(secret)
  })
})

const elapsed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

describe('guessing', () => {
  test('a wrong password and an unknown address have the same words, and take as long', async () => {
    await using world = await World.create()
    await using line = new Line(world.url)
    const signer = createKeyPair()
    const guess = (email: string) => line.ask(registration(signer, email, 'wrong'))
    const wrong = await guess(ADA)
    expect(wrong).toMatchObject(refusedWith('password'))
    expect(await guess('nobody@example.org')).toEqual(wrong)
    const taken: number[] = []
    for (const _ of [1, 2, 3]) taken.push(await elapsed(() => guess('nobody@example.org')))
    // A derivation takes tens of milliseconds, on a busy machine more: leaving it out would show.
    expect(Math.min(...taken)).toBeGreaterThan(15)
  })

  test('attempts are limited; who has the key is not locked out by them', async () => {
    await using world = await World.create()
    await using ada = await Client.enrol(world.url, ADA, 'correct horse battery staple')
    await using line = new Line(world.url)
    const signer = createKeyPair()
    const answers = new Map<number, number>()
    for (let guess = 0; guess < 25; guess += 1) {
      const { status } = await line.ask(registration(signer, guess % 2 === 0 ? ADA : `${guess}@example.org`, `guess ${guess}`))
      answers.set(status, (answers.get(status) ?? 0) + 1)
    }
    expect(answers.get(403)).toBeLessThanOrEqual(12)
    expect(new Set(answers.keys())).toEqual(new Set([403, 429]))
    // Not even the right password helps now, or guessing would go on; nor may an account be used to guess.
    expect(await line.ask(registration(signer, ADA, 'correct horse battery staple'))).toMatchObject({ status: 429, code: 'tooMany' })
    expect(await line.ask({ tag: 'RegisterUser', email: ADA, password: 'another' })).toMatchObject({ status: 429, code: 'tooMany' })
    for (let guess = 0; guess < 15; guess += 1) {
      const { key } = ada.signer
      const said = await line.say(encodeRequest({ tag: 'SignIn', key, nonce: 'x', signature: signer.sign('x') }, 1))
      expect(said.message['Status']).toBe(guess < 10 ? 403 : 429)
    }
    await using again = new Line(world.url, ada.signer)
    expect(await again.ask({ tag: 'Agents', key: ada.signer.key })).toMatchObject({ tag: 'AgentList' })
  })

  test('where registration is closed, nobody learns who has an account', async () => {
    await using world = await World.create()
    await world.gateway.stop()
    await using closed = world.daemon(['serve', '--data', world.data, '--listen', `127.0.0.1:${world.port}`], {
      EVENTSYNC_REGISTRATION: 'closed',
    })
    await until(
      'the gateway to be ready',
      async () => closed.running && (await fetch(`http://127.0.0.1:${world.port}/readyz`).catch(() => undefined))?.ok,
    )
    await using line = new Line(world.url)
    const register = (email: string) => line.ask({ tag: 'RegisterUser', email, password: 'x' })
    expect(await register(ADA)).toMatchObject(refusedWith('registration'))
    expect(await register('nobody@example.org')).toEqual(await register(ADA))
  })
})
