import { randomBytes } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import type { Change } from '../../../src/domain/change.ts'
import type { Chunk, Hash } from '../../../src/domain/content.ts'
import type { FolderId } from '../../../src/domain/events.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { decodeAnswer } from '../../../src/protocol/answer.ts'
import { signBatch } from '../../../src/protocol/batch.ts'
import type { JsonObject } from '../../../src/protocol/json.ts'
import type { Answer, Head, Request, SignedBatch } from '../../../src/protocol/messages.ts'
import { encodeRequest } from '../../../src/protocol/request.ts'
import { createKeyPair, registrationProofText, signInText, type Signer } from '../../../src/protocol/signing.ts'
import { NO_BYTES, type ClientTransport } from '../../../src/transport/port.ts'
import { createWebSocketClient } from '../../../src/transport/websocket/client.ts'
import { chunkOf } from '../../support/gateway.ts'
import { within } from '../../support/wait.ts'

const TIMESTAMP = 1_700_000_000

/** A connection to a real gateway that says whatever a test wants; without a signer it is anonymous. */
export class Line implements AsyncDisposable {
  readonly #transport: ClientTransport
  /** The nonces that it was challenged with, and the last sign-in that it sent. */
  readonly nonces: string[] = []

  constructor(url: string, signer?: Signer, signInAs: (nonce: string, signer: Signer) => JsonObject = signInRequest) {
    this.#transport = createWebSocketClient({
      url,
      clock: systemClock,
      random: randomBytes,
      ...(signer && {
        signIn: (nonce: string) => {
          this.nonces.push(nonce)
          return signInAs(nonce, signer)
        },
      }),
    })
  }

  /** Resolves when it is connected (again) and signed in. */
  async connected(): Promise<void> {
    const there = Promise.withResolvers<void>()
    const stop = this.#transport.notifications(({ tag }) => tag === 'Connected' && there.resolve())
    await within('a connection', there.promise)
    stop()
  }

  /** Sends a message as it is, and gives the answer's fields. */
  async say(message: JsonObject, payload: Uint8Array = NO_BYTES): Promise<{ readonly message: JsonObject; readonly payload: Uint8Array }> {
    const answered = await this.#transport.request({ message, payload }, AbortSignal.timeout(20_000))()
    if (E.isLeft(answered)) throw new Error(`no answer: ${answered.left.tag}, ${answered.left.reason}`)
    return answered.right
  }

  async ask(request: Request, payload?: Uint8Array): Promise<Answer> {
    return (await this.askAll(request, payload)).answer
  }

  async askAll(request: Request, payload?: Uint8Array): Promise<{ readonly answer: Answer; readonly payload: Uint8Array }> {
    const answered = await this.say(encodeRequest(request, TIMESTAMP), payload)
    const answer = decodeAnswer(request.tag, answered.message)
    if (E.isLeft(answer)) throw new Error(`not an answer: ${JSON.stringify(answered.message)}`)
    return { answer: answer.right, payload: answered.payload }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#transport[Symbol.asyncDispose]())
  }
}

export const signInRequest = (nonce: string, { key, sign }: Signer): JsonObject =>
  encodeRequest({ tag: 'SignIn', key, nonce, signature: sign(signInText(nonce, key)) }, TIMESTAMP)

type Registration = Extract<Request, { tag: 'RegisterAgent' }>

/** A registration as an honest device would send it, and then as a test would have it. */
export const registration = (signer: Signer, email: string, password: string, otherwise: Partial<Registration> = {}): Registration => ({
  tag: 'RegisterAgent',
  key: signer.key,
  email,
  password,
  name: 'client',
  publicKey: signer.publicKey,
  proof: signer.sign(registrationProofText(email, signer.publicKey)),
  vouchedBy: undefined,
  countersignature: undefined,
  ...otherwise,
})

interface Sent {
  readonly batch: SignedBatch
  readonly payload: Uint8Array
}

/** A device of the tests' own: enrolled and signed in, and bound by nothing else. */
export class Client implements AsyncDisposable {
  readonly signer: Signer
  readonly folder: FolderId
  readonly gatewayKey: string
  readonly line: Line
  number = 0

  private constructor(url: string, signer: Signer, { folder, gatewayKey }: Extract<Answer, { tag: 'Registered' }>) {
    this.signer = signer
    this.folder = folder
    this.gatewayKey = gatewayKey
    this.line = new Line(url, signer)
  }

  static async enrol(url: string, email: string, password: string, signer = createKeyPair()): Promise<Client> {
    await using line = new Line(url)
    const made = await line.ask({ tag: 'RegisterUser', email, password })
    if (made.status !== 200) throw new Error(JSON.stringify(made))
    const answer = await line.ask(registration(signer, email, password))
    if (answer.tag !== 'Registered') throw new Error(JSON.stringify(answer))
    return new Client(url, signer, answer)
  }

  /** A signed message; `head` says what an honest one would not. */
  sign(changes: readonly Change[], contents: readonly Uint8Array[] = [], head: Partial<Head> = {}, signer = this.signer): Sent {
    const honest = {
      version: 1 as const,
      folder: this.folder,
      agent: this.signer.key,
      epoch: '0123456789abcdef',
      number: (this.number += 1),
      previous: '' as const,
      position: -1,
      chain: '',
    }
    return { batch: signBatch({ ...honest, ...head }, changes, signer, TIMESTAMP, contents.map(chunkOf)), payload: Buffer.concat(contents) }
  }

  send({ batch, payload }: Sent): Promise<Answer> {
    return this.line.ask({ tag: 'Changes', key: this.signer.key, batch }, payload)
  }

  change(changes: readonly Change[], contents: readonly Uint8Array[] = [], head: Partial<Head> = {}): Promise<Answer> {
    return this.send(this.sign(changes, contents, head))
  }

  sync(position = -1, folder = this.folder): Promise<Answer> {
    return this.line.ask({ tag: 'Sync', key: this.signer.key, folder, position, chain: '' })
  }

  open(version: number, chunks: readonly Hash[], folder = this.folder) {
    return this.line.askAll({ tag: 'Open', key: this.signer.key, folder, unchecked: false, files: [{ version, chunks }] })
  }

  missing(chunks: readonly Hash[], folder = this.folder): Promise<Answer> {
    return this.line.ask({ tag: 'Missing', key: this.signer.key, folder, chunks })
  }

  upload(bytes: readonly Uint8Array[], as: readonly Chunk[] = bytes.map(chunkOf)): Promise<Answer> {
    return this.line.ask({ tag: 'Chunks', key: this.signer.key, folder: this.folder, chunks: as }, Buffer.concat(bytes))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.line[Symbol.asyncDispose]()
  }
}
