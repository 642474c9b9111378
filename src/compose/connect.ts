import { randomBytes } from 'node:crypto'
import { systemClock } from '../lib/clock.ts'
import type { JsonObject } from '../protocol/json.ts'
import { encodeRequest } from '../protocol/request.ts'
import { brokerPasswordText, signInText, type Signer } from '../protocol/signing.ts'
import type { ClientTransport } from '../transport/port.ts'

/** A connection to a gateway, straight or over RabbitMQ, signed in by the signer, or anonymous without one (registration). */
export const connect = async (server: string, signer: Signer | undefined): Promise<ClientTransport> => {
  if (server.startsWith('amqp')) return connectOverRabbit(server, signer)
  const { createWebSocketClient } = await import('../transport/websocket/client.ts')
  const common = { url: server, clock: systemClock, random: randomBytes }
  if (signer === undefined) return createWebSocketClient(common)
  return createWebSocketClient({ ...common, signIn: signingIn(signer) })
}

const connectOverRabbit = async (server: string, signer: Signer | undefined): Promise<ClientTransport> => {
  const { createRabbitClient } = await import('../transport/rabbitmq/client.ts')
  const common = { broker: { url: server }, clock: systemClock, random: randomBytes }
  if (signer === undefined) return createRabbitClient(common)
  const credentials = { agent: signer.key, password: signer.sign(brokerPasswordText(signer.key)) }
  return createRabbitClient({ ...common, credentials, signIn: signingIn(signer) })
}

const signingIn =
  ({ key, sign }: Signer) =>
  (nonce: string): JsonObject =>
    encodeRequest({ tag: 'SignIn', key, nonce, signature: sign(signInText(nonce, key)) }, systemClock.wall() / 1000)
