import { connect, createServer, type Server, type Socket } from 'node:net'

/** Forwards connections to a port of this machine, and breaks them when asked to. */
export class TcpProxy implements AsyncDisposable {
  /** Where new connections go; undefined: nobody is there. */
  target: number | undefined
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

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

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #forward(near: Socket): void {
    if (this.target === undefined) return void near.destroy()
    const far = connect({ port: this.target, host: '127.0.0.1', noDelay: true })
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
  }
}
