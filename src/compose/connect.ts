import { randomBytes } from 'node:crypto'
import { systemClock } from '../lib/clock.ts'
import { encodeRequest } from '../protocol/request.ts'
import { signInText, type Signer } from '../protocol/signing.ts'
import type { ClientTransport } from '../transport/port.ts'

/** A connection to a gateway, signed in by the signer, or anonymous without one (registration). */
export const connect = async (server: string, signer: Signer | undefined): Promise<ClientTransport> => {
  const { createWebSocketClient } = await import('../transport/websocket/client.ts')
  const common = { url: server, clock: systemClock, random: randomBytes }
  if (signer === undefined) return createWebSocketClient(common)
  const { key, sign } = signer
  return createWebSocketClient({
    ...common,
    signIn: (nonce) => encodeRequest({ tag: 'SignIn', key, nonce, signature: sign(signInText(nonce, key)) }, systemClock.wall() / 1000),
  })
}
