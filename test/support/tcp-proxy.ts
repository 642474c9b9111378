import { connect, createServer, type Server, type Socket } from 'node:net'

/** Forwards connections to a port of this machine, counts what passes, and breaks them when asked to. */
export class TcpProxy implements AsyncDisposable {
  /** Where new connections go; undefined: nobody is there. */
  target: number | undefined
  readonly port: number
  /** Bytes so far: to the target, and from it. */
  up = 0
  down = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #far = new Set<Socket>()

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
    server.on('connection', (near) => this.#forward(near))
  }

  static listen(): Promise<TcpProxy> {
    return new Promise((resolve) => {
      const server = createServer({ noDelay: true })
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        if (address === null || typeof address === 'string') throw new Error('a port has an address')
        resolve(new TcpProxy(server, address.port))
      })
    })
  }

  cut(): void {
    for (const socket of [...this.#sockets]) socket.destroy()
  }

  /** Forwards nothing more of the connections that there are, and says nothing: what a cable that was pulled looks like. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause()
  }

  /** Takes nothing more from the target on the connections that there are: what a client looks like that reads nothing, and goes on asking. */
  stopReading(): void {
    for (const far of this.#far) far.unpipe().pause()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #forward(near: Socket): void {
    if (this.target === undefined) return void near.destroy()
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
    this.#far.add(far)
    far.on('close', () => this.#far.delete(far))
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
    near.on('data', ({ length }) => (this.up += length))
    far.on('data', ({ length }) => (this.down += length))
  }
}
