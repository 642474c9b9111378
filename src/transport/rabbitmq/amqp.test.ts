import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { AmqpConnection } from './amqp.ts'

/** One frame of AMQP 0-9-1 with a method of the class `connection` in it. */
const frame = (method: number, args: Buffer): Buffer => {
  const head = Buffer.from([1, 0, 0, 0, 0, 0, args.length + 4, 0, 10, 0, method])
  return Buffer.concat([head, args, Buffer.from([0xce])])
}

const longString = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)])

const START = frame(10, Buffer.concat([Buffer.from([0, 9, 0, 0, 0, 0]), longString('PLAIN'), longString('en_US')]))
const TUNE = frame(30, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]))
const OPEN_OK = frame(41, Buffer.from([0]))

it('outlives a connection that comes about after it was given up, and breaks off at once', async () => {
  await using server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const giveUp = new AbortController()
  const opening = AmqpConnection.open({ url: `amqp://somebody:secret@127.0.0.1:${port}/` }, 'test', giveUp.signal)
  const [socket] = (await once(server, 'connection')) as [Socket] // what a server's event carries
  await once(socket, 'data')
  socket.write(START)
  await once(socket, 'data')
  giveUp.abort()
  await expect(opening).rejects.toMatchObject({ tag: 'away' })
  socket.write(TUNE)
  await once(socket, 'data')
  socket.end(OPEN_OK)
  socket.resume()
  await once(socket, 'close')
})
