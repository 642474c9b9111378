import { randomBytes } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { call } from '../../src/compose/calls.ts'
import { connect } from '../../src/compose/connect.ts'
import type { Change } from '../../src/domain/change.ts'
import type { FolderId } from '../../src/domain/events.ts'
import { decodeAnswer } from '../../src/protocol/answer.ts'
import { signBatch } from '../../src/protocol/batch.ts'
import { sha256 } from '../../src/protocol/hash.ts'
import type { Answer, Request } from '../../src/protocol/messages.ts'
import { encodeRequest } from '../../src/protocol/request.ts'
import { createKeyPair, registrationProofText, type Signer } from '../../src/protocol/signing.ts'
import type { ClientTransport, Envelope } from '../../src/transport/port.ts'
import { path } from './memory-tree.ts'
import { until } from './wait.ts'

const PASSWORD = 'correct horse battery staple'

const granted = <A>(outcome: E.Either<{ readonly reason: string }, A>): A => {
  if (E.isLeft(outcome)) throw new Error(outcome.left.reason)
  return outcome.right
}

/** An agent without a disk: it makes files up, signs them, and sends one message after the other. */
export class QueueAgent implements AsyncDisposable {
  readonly signer: Signer
  readonly folder: FolderId
  readonly #transport: ClientTransport
  readonly #epoch = randomBytes(8).toString('hex')
  /** Messages that were answered as done. */
  sent = 0

  private constructor(signer: Signer, folder: FolderId, transport: ClientTransport) {
    this.signer = signer
    this.folder = folder
    this.#transport = transport
  }

  static async signUp(server: string, email: string): Promise<void> {
    await using transport = await connect(server, undefined)
    granted(await call(transport, server, { tag: 'RegisterUser', email, password: PASSWORD }))
  }

  static async enrol(server: string, email: string, name: string): Promise<QueueAgent> {
    await using transport = await connect(server, undefined)
    const signer = createKeyPair()
    const { key, publicKey } = signer
    const proof = signer.sign(registrationProofText(email, publicKey))
    const about = { key, email, password: PASSWORD, name, publicKey, proof, vouchedBy: undefined, countersignature: undefined }
    const answer = granted(await call(transport, server, { tag: 'RegisterAgent', ...about }))
    if (answer.tag !== 'Registered') throw new Error(`not registered: ${JSON.stringify(answer)}`)
    return new QueueAgent(signer, answer.folder, await connect(server, signer))
  }

  /** Sends its next message, of so many new files of 1 KiB, and again until it is done; as messages of real agents are. */
  async send(files: number): Promise<void> {
    const envelope = this.#message(files)
    await until('a message to be done', async () => this.#isDone(await this.#transport.request(envelope)()), 60)
    this.sent += 1
  }

  #isDone(answered: E.Either<unknown, Envelope>): boolean {
    if (E.isLeft(answered)) return false
    const answer: Answer = granted(
      E.mapLeft(({ field, reason }: { field: string; reason: string }) => ({ reason: `${field} ${reason}` }))(
        decodeAnswer('Changes', answered.right.message),
      ),
    )
    if (answer.tag === 'Refused' && answer.status === 503) return false
    if (answer.tag === 'Changed' && answer.outcomes.every(({ status }) => status === 200)) return true
    throw new Error(`not done: ${JSON.stringify(answer)}`)
  }

  #message(files: number): Envelope {
    const number = this.sent + 1
    const contents = Array.from({ length: files }, () => randomBytes(1024))
    const chunks = contents.map((bytes) => ({ hash: sha256(bytes), size: bytes.length }))
    const changes = chunks.map((chunk, at): Change => {
      const content = { kind: 'file', ...chunk, manifest: { tag: 'chunks', chunks: [chunk] }, executable: false, modified: '1' } as const
      return { tag: 'create', path: path(`${this.signer.key}/${number}-${at}`), content, base: 'none' }
    })
    const head = {
      version: 1,
      folder: this.folder,
      agent: this.signer.key,
      epoch: this.#epoch,
      number,
      previous: '',
      position: -1,
      chain: '',
    } as const
    const request: Request = { tag: 'Changes', key: this.signer.key, batch: signBatch(head, changes, this.signer, 1, chunks) }
    return { message: encodeRequest(request, 1), payload: Buffer.concat(contents) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport[Symbol.asyncDispose]()
  }
}

/** Two agents for each of so many folders, at a gateway or a broker. */
export const queueAgents = async (server: string, folders: number, parts: AsyncDisposableStack): Promise<readonly QueueAgent[]> => {
  const agents: QueueAgent[] = []
  for (let at = 0; at < folders; at += 1) {
    const email = `agent-${at}@example.org`
    await QueueAgent.signUp(server, email)
    for (const name of ['one', 'other']) agents.push(parts.use(await QueueAgent.enrol(server, email, name)))
  }
  return agents
}
