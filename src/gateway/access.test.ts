import { describe, expect, it } from 'vitest'
import { ask, bytesOf, chunkOf, creating, enrol, gatewayWorld, newPeer, textFile } from '../../test/support/gateway.ts'
import { path } from '../../test/support/memory-tree.ts'
import type { AppendOutcome } from '../eventlog/memory.ts'
import { countersignText, createKeyPair, registrationProofText } from '../protocol/signing.ts'

const inside = (text: string) => ({ contents: [bytesOf(text)] })

describe('who may do what', () => {
  it('an address registers once; the same again is the same, another password is refused', async () => {
    const world = await gatewayWorld()
    const first = await ask(world, newPeer(), { tag: 'RegisterUser', email: 'a@b.c', password: 'secret' })
    expect(first.answer).toMatchObject({ tag: 'Registered', gatewayKey: world.signer.publicKey })
    expect((await ask(world, newPeer(), { tag: 'RegisterUser', email: 'A@B.c', password: 'secret' })).answer).toEqual(first.answer)
    expect((await ask(world, newPeer(), { tag: 'RegisterUser', email: 'a@b.c', password: 'other' })).answer).toMatchObject({
      status: 403,
      code: 'password',
    })
    expect(world.storage.all.map(({ type }) => type)).toEqual(['AccountRegistered', 'FolderCreated'])
  })

  it('a closed gateway registers nobody', async () => {
    const world = await gatewayWorld({ settings: { registration: 'closed' } })
    expect((await ask(world, newPeer(), { tag: 'RegisterUser', email: 'a@b.c', password: 'secret' })).answer).toMatchObject({
      status: 403,
      code: 'registration',
    })
  })

  it('a wrong password and an unknown address are told alike', async () => {
    const world = await gatewayWorld()
    await ask(world, newPeer(), { tag: 'RegisterUser', email: 'a@b.c', password: 'secret' })
    const signer = createKeyPair(Buffer.alloc(32, 1))
    const enrolling = (email: string, password: string) =>
      ask(world, newPeer(), {
        tag: 'RegisterAgent',
        key: signer.key,
        email,
        password,
        name: 'n',
        publicKey: signer.publicKey,
        proof: signer.sign(registrationProofText(email, signer.publicKey)),
        vouchedBy: undefined,
        countersignature: undefined,
      })
    const wrong = await enrolling('a@b.c', 'other')
    expect(wrong.answer).toMatchObject({ status: 403, code: 'password' })
    expect((await enrolling('x@y.z', 'secret')).answer).toEqual(wrong.answer)
  })

  it('a key is enrolled by whoever holds it, for one account', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const user = { email: 'other@b.c', password: 'secret' }
    await ask(world, newPeer(), { tag: 'RegisterUser', ...user })
    const request = {
      tag: 'RegisterAgent',
      key: laptop.key,
      ...user,
      name: 'n',
      publicKey: laptop.signer.publicKey,
      vouchedBy: undefined,
      countersignature: undefined,
    } as const
    const proof = laptop.signer.sign(registrationProofText(user.email, laptop.signer.publicKey))
    expect((await ask(world, newPeer(), { ...request, proof })).answer).toMatchObject({ status: 403, code: 'agent' })
    const stranger = createKeyPair(Buffer.alloc(32, 9))
    expect(
      (await ask(world, newPeer(), { ...request, proof: stranger.sign(registrationProofText(user.email, laptop.signer.publicKey)) }))
        .answer,
    ).toMatchObject({ status: 403, code: 'signature' })
    expect((await ask(world, newPeer(), { ...request, key: stranger.key, proof })).answer).toMatchObject({ status: 400, code: 'format' })
  })

  it('an enrolled agent vouches for the next one', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const next = createKeyPair(Buffer.alloc(32, 2))
    const request = {
      tag: 'RegisterAgent',
      key: next.key,
      email: 'a@b.c',
      password: 'secret',
      name: 'n',
      publicKey: next.publicKey,
      proof: next.sign(registrationProofText('a@b.c', next.publicKey)),
      vouchedBy: laptop.key,
    } as const
    const forged = next.sign(countersignText('a@b.c', next.publicKey))
    expect((await ask(world, newPeer(), { ...request, countersignature: forged })).answer).toMatchObject({ status: 403, code: 'signature' })
    const countersignature = laptop.signer.sign(countersignText('a@b.c', next.publicKey))
    expect((await ask(world, newPeer(), { ...request, countersignature })).answer).toMatchObject({ tag: 'Registered' })
    expect(JSON.parse(world.storage.all.at(-1)?.data ?? '')).toMatchObject({ vouchedBy: laptop.key, countersignature })
  })

  it("a sign-in signs this connection's nonce", async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const peer = newPeer()
    const replayed = { ...newPeer(), nonce: laptop.peer.nonce }
    expect(await laptop.signIn(peer)).toMatchObject({ status: 200 })
    expect(
      (await ask(world, newPeer(), { tag: 'SignIn', key: laptop.key, nonce: replayed.nonce, signature: laptop.signer.sign('x') })).answer,
    ).toMatchObject({ status: 403, code: 'signature' })
    const stranger = createKeyPair(Buffer.alloc(32, 9))
    expect(
      (await ask(world, peer, { tag: 'SignIn', key: stranger.key, nonce: peer.nonce, signature: stranger.sign('x') })).answer,
    ).toMatchObject({ status: 403, code: 'agent' })
  })

  it('nothing goes without a sign-in, or as another agent', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    expect((await ask(world, newPeer(), { tag: 'Agents', key: laptop.key })).answer).toMatchObject({ status: 403, code: 'agent' })
    expect((await ask(world, desktop.peer, { tag: 'Agents', key: laptop.key })).answer).toMatchObject({ status: 403, code: 'agent' })
  })

  it('a signature that is not over this message is refused', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const { batch, payload } = laptop.sign([creating('a', 'one')], inside('one'))
    const other = laptop.sign([creating('b', 'one')], inside('one')).batch
    const length = world.storage.all.length
    expect(await laptop.send({ batch: { ...batch, signature: other.signature }, payload })).toMatchObject({
      status: 403,
      code: 'signature',
    })
    expect(await laptop.send({ batch: { ...batch, canonical: other.canonical }, payload })).toMatchObject({
      status: 403,
      code: 'signature',
    })
    expect(world.storage.all).toHaveLength(length)
  })

  it("another account's folder is no folder", async () => {
    const world = await gatewayWorld()
    const mine = await enrol(world, 1)
    const theirs = await enrol(world, 2, 'b@b.c')
    const { key } = mine
    const { folder } = theirs
    expect(await mine.change([creating('a', 'one')], { ...inside('one'), head: { folder } })).toMatchObject({ status: 403, code: 'folder' })
    for (const request of [
      { tag: 'Sync', key, folder, position: -1, chain: '' },
      { tag: 'Missing', key, folder, chunks: [] },
      { tag: 'Open', key, folder, unchecked: false, files: [] },
      { tag: 'Chunks', key, folder, chunks: [] },
    ] as const)
      expect((await mine.ask(request)).answer, request.tag).toMatchObject({ status: 403, code: 'folder' })
  })

  it('a foreign hash gives nothing: its bytes are demanded', async () => {
    const world = await gatewayWorld()
    const mine = await enrol(world, 1)
    const theirs = await enrol(world, 2, 'b@b.c')
    await theirs.change([creating('secret', 'their secret')], inside('their secret'))
    const { hash } = chunkOf(bytesOf('their secret'))
    expect(await mine.change([creating('mine', 'their secret')])).toEqual({ tag: 'SendChunks', status: 100, missing: [hash] })
    expect((await mine.ask({ tag: 'Missing', key: mine.key, folder: mine.folder, chunks: [hash] })).answer).toMatchObject({
      missing: [hash],
    })
    await mine.change([creating('own', 'own')], inside('own'))
    expect((await mine.open(1, [hash])).answer).toMatchObject({ status: 404, code: 'notFound' })
    expect(await mine.change([creating('mine', 'their secret')], inside('their secret'))).toMatchObject({ outcomes: [{ status: 200 }] })
  })

  it('a revoked agent can do nothing more, and is cut off', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    const queued = desktop.sign([creating('a', 'one')], inside('one'))
    expect((await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: desktop.key, reason: 'lost' })).answer).toMatchObject({
      status: 200,
    })
    expect(world.cut).toEqual([desktop.key])
    expect(await desktop.send(queued)).toMatchObject({ status: 403, code: 'revoked' })
    expect(await desktop.sync()).toMatchObject({ status: 403, code: 'revoked' })
    expect(await desktop.signIn()).toMatchObject({ status: 403, code: 'revoked' })
    const again = await laptop.ask({ tag: 'Agents', key: laptop.key })
    expect(again.answer).toMatchObject({
      agents: [
        { key: laptop.key, revoked: false, self: true },
        { key: desktop.key, revoked: true, self: false },
      ],
    })
    await laptop.change([creating('b', 'one')], inside('one'))
    expect(world.told.at(-1)?.keys ?? []).not.toContain(desktop.key)
  })

  it('a message that waits when its agent is revoked is refused', async () => {
    const gate = Promise.withResolvers<void>()
    let held = false
    const world = await gatewayWorld({
      log: {
        outcome: async (stream): Promise<AppendOutcome> => {
          if (held && stream.startsWith('folder-')) await gate.promise
          return 'ok'
        },
      },
    })
    const laptop = await enrol(world, 1)
    const desktop = await enrol(world, 2)
    held = true
    const first = laptop.change([creating('a', 'one')], inside('one'))
    await new Promise((resolve) => setImmediate(resolve))
    const second = desktop.change([creating('b', 'two')], inside('two'))
    await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: desktop.key, reason: 'lost' })
    gate.resolve()
    expect(await first).toMatchObject({ status: 200 })
    expect(await second).toMatchObject({ status: 403, code: 'revoked' })
  })

  it('agents are renamed and revoked within their account', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const foreign = await enrol(world, 2, 'b@b.c')
    expect((await laptop.ask({ tag: 'RenameAgent', key: laptop.key, target: laptop.key, name: 'new name' })).answer).toMatchObject({
      status: 200,
    })
    expect((await laptop.ask({ tag: 'Agents', key: laptop.key })).answer).toMatchObject({ agents: [{ name: 'new name' }] })
    expect((await laptop.ask({ tag: 'RevokeAgent', key: laptop.key, target: foreign.key, reason: 'x' })).answer).toMatchObject({
      status: 404,
      code: 'notFound',
    })
  })

  it('guesses are limited for an account, and for an address', async () => {
    const world = await gatewayWorld()
    const guess = (email: string, address: string) =>
      ask(world, newPeer(false, address), { tag: 'RegisterUser', email, password: `guess ${address}` })
    await ask(world, newPeer(), { tag: 'RegisterUser', email: 'a@b.c', password: 'secret' })
    const statuses: number[] = []
    for (let tries = 0; tries < 12; tries += 1) statuses.push((await guess('a@b.c', `10.0.0.${tries}`)).answer.status)
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => 403), 429, 429])
    world.clock.advance(10_000)
    expect((await guess('a@b.c', '10.0.1.1')).answer.status).toBe(403)
    expect((await guess('a@b.c', '10.0.1.1')).answer.status).toBe(429)
    expect((await guess('new@b.c', '10.0.1.1')).answer.status).toBe(200)
  })

  it('a content that does not fit its manifest is refused', async () => {
    const world = await gatewayWorld()
    const laptop = await enrol(world, 1)
    const chunk = chunkOf(bytesOf('one'))
    const content = { ...textFile('one'), size: 4, manifest: { tag: 'chunks' as const, chunks: [{ ...chunk, size: 4 }] } }
    expect(await laptop.change([{ tag: 'create', path: path('a'), content, base: 'none' }], inside('one'))).toMatchObject({
      outcomes: [{ status: 400, code: 'hash' }],
    })
  })
})
