import { spawn, type ChildProcess } from 'node:child_process'

/** A script that keeps a server up until its standard input ends: so the server never outlives whoever started it, not even a kill -9. */
export class ServerScript {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #said = ''

  constructor(script: string, args: readonly string[]) {
    this.#child = spawn('bash', [script, ...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said = (this.#said + text).slice(-4000)))
    this.#child.stdin?.on('error', () => undefined)
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()))
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The last of what it has said. */
  get said(): string {
    return this.#said
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end()
    await this.#ended
  }
}
