import { createHash } from 'node:crypto'
import { until } from './wait.ts'

/** What a client knows that was written from PySync's documents alone. */
export interface PySyncAnswer {
  readonly Action: string
  readonly Status: number
  readonly Code?: string
  readonly Reason?: string
  readonly File?: { readonly Name?: string; readonly OriginalName?: string; readonly Size?: string }
  readonly Changes?: Readonly<
    Record<'Created' | 'Updated' | 'Deleted', readonly { readonly OriginalName: string; readonly Size?: string; readonly Name?: string }[]>
  >
}

/** PySync sends the MD5 of the password, in upper-case hex. */
export const md5 = (password: string): string => createHash('md5').update(password).digest('hex').toUpperCase()

/** JSON in text frames, contents in binary frames, one request at a time; no EventSync field. */
export class PySyncClient implements Disposable {
  readonly #socket: WebSocket
  readonly #answers: PySyncAnswer[] = []
  readonly #bytes: Buffer[] = []
  readonly #agent: { readonly Key: string; readonly User: { readonly Email: string; readonly Password: string } }

  private constructor(socket: WebSocket, key: string, email: string, password: string) {
    this.#socket = socket
    this.#agent = { Key: key, User: { Email: email, Password: md5(password) } }
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      // Text frames are answers by the protocol's word; their fields are what the tests look at.
      if (typeof data === 'string') this.#answers.push(JSON.parse(data) as PySyncAnswer)
      else if (data instanceof ArrayBuffer) this.#bytes.push(Buffer.from(data))
    })
  }

  static async connect(url: string, key: string, email: string, password: string): Promise<PySyncClient> {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    const client = new PySyncClient(socket, key, email, password)
    await until('the connection', () => socket.readyState === WebSocket.OPEN)
    return client
  }

  async request(action: string, fields: Readonly<Record<string, unknown>> = {}): Promise<PySyncAnswer> {
    this.#socket.send(JSON.stringify({ Action: action, Timestamp: Date.now() / 1000, Agent: this.#agent, ...fields }))
    return this.#answer(action)
  }

  /** Create or Update: asks, and sends the bytes when told to. */
  async send(action: 'Create' | 'Update', file: Readonly<Record<string, string>>, bytes: Buffer): Promise<PySyncAnswer> {
    const asked = await this.request(action, { File: { ...file, Size: String(bytes.length) } })
    if (asked.Status !== 100) return asked
    this.#socket.send(bytes)
    return this.#answer(action)
  }

  /** Open: the answer, then its bytes. */
  async open(name: string): Promise<{ readonly answer: PySyncAnswer; readonly bytes: Buffer }> {
    this.#bytes.length = 0
    const answer = await this.request('Open', { File: { Name: name } })
    const size = Number(answer.File?.Size ?? 0)
    await until(`${size} bytes`, () => this.#bytes.reduce((sum, part) => sum + part.length, 0) >= size)
    return { answer, bytes: Buffer.concat(this.#bytes) }
  }

  #answer(action: string): Promise<PySyncAnswer> {
    return until(`the answer to ${action}`, () => this.#answers.shift())
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}
