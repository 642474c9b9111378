import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { FolderSync } from '../engine/folder-sync.types.ts'
import { onLines } from './lines.ts'
import { parseRequest, type ControlAnswer } from './messages.ts'

type Controlled = Pick<FolderSync, 'status' | 'settle' | 'approveDeletions'>

/**
 * Answers `status` and its like on a Unix socket, one JSON object a line each way. The caller holds the folder's lock, so a socket
 * that is there already was left by an agent that was killed. A request that waits is given up when its connection closes.
 */
export const serveControl = async (address: string, sync: Controlled): Promise<AsyncDisposable> => {
  rmSync(address, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    converse(socket, sync)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, resolve)
  })
  chmodSync(address, 0o600)
  return {
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy()
      // Node removes the socket's file when the server closes.
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

const converse = (socket: Socket, sync: Controlled): void => {
  const gone = new AbortController()
  socket.once('close', () => gone.abort())
  // A peer that went away is nothing to answer to.
  socket.on('error', () => gone.abort())
  onLines(socket, (line) => {
    void answer(line, sync, gone.signal).then((reply) => socket.writable && socket.write(`${JSON.stringify(reply)}\n`))
  })
}

const answer = async (line: string, sync: Controlled, signal: AbortSignal): Promise<ControlAnswer> => {
  const request = parseRequest(line)
  switch (request?.ask) {
    case 'status':
      return { tag: 'status', status: sync.status() }
    case 'settle':
      return { tag: 'status', status: await sync.settle(signal) }
    case 'approve':
      return { tag: 'approved', count: request.paths.length === 0 ? sync.approveDeletions() : sync.approveDeletions(request.paths) }
    case undefined:
      return { tag: 'error', reason: 'not a request that this agent knows' }
  }
}
