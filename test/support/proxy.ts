import { connect, createServer, type Socket } from 'node:net'

/** A TCP relay to a port of this machine that counts what passes, and can be cut. */
export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** Bytes so far: to the gateway, and from it. */
  readonly counted: () => { readonly up: number; readonly down: number }
  /** Ends all connections that there are. */
  readonly cut: () => void
}

export const startProxy = async (target: number): Promise<Proxy> => {
  let up = 0
  let down = 0
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [from, to, count] of [
      [near, far, (bytes: number) => (up += bytes)],
      [far, near, (bytes: number) => (down += bytes)],
    ] as const) {
      sockets.add(from)
      from.on('data', (data) => count(data.length))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    counted: () => ({ up, down }),
    cut,
    [Symbol.asyncDispose]: () => {
      cut()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
