import { randomBytes } from 'node:crypto'
import { systemClock } from '../../../src/lib/clock.ts'
import type { Json, JsonObject } from '../../../src/protocol/json.ts'
import type { Envelope } from '../../../src/transport/port.ts'
import { createWebSocketServer, type WebSocketServerTransport } from '../../../src/transport/websocket/server.ts'
import { enrol, gatewayWorld, type Enrolled, type World as GatewayWorld } from '../../support/gateway.ts'
import { EMAIL, PASSWORD } from '../../support/world.ts'

/** Says what an agent hears in place of the honest answer; undefined: the honest answer. */
export type Lie = (request: JsonObject, answer: Envelope) => Envelope | undefined

/** An honest gateway in this process behind somebody who tells real agents whatever a test wants. */
export class HostileGateway implements AsyncDisposable {
  readonly world: GatewayWorld
  /** An honest device of the same account, to fill the folder with. */
  readonly friend: Enrolled
  /** When each request came, by its action. */
  readonly heard: { readonly action: Json | undefined; readonly at: number }[] = []
  lie: Lie = () => undefined
  readonly #server: WebSocketServerTransport

  private constructor(world: GatewayWorld, friend: Enrolled, server: WebSocketServerTransport) {
    this.world = world
    this.friend = friend
    this.#server = server
    server.serve(async (envelope, peer, signal) => {
      this.heard.push({ action: envelope.message['Action'], at: performance.now() })
      const honest = await world.gateway.handle(envelope, peer, signal)
      return this.lie(envelope.message, honest) ?? honest
    })
    // Without pages: what agents learn they ask for, and may be lied to. Pages that lie: `src/agent/engine/told-pages.test.ts`.
    world.gateway.addNotifier({
      notify: (agents, { folder, position }) => server.notify(agents, { folder, position }),
      disconnect: (agent, reason) => server.disconnect(agent, reason),
    })
  }

  static async start(): Promise<HostileGateway> {
    const world = await gatewayWorld()
    const friend = await enrol(world, 1, EMAIL, PASSWORD)
    const server = await createWebSocketServer({
      clock: systemClock,
      random: randomBytes,
      listen: { host: '127.0.0.1', port: 0 },
      httpHandler: (_, response) => response.writeHead(404).end(),
    })
    return new HostileGateway(world, friend, server)
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.address.port}`
  }

  /** Tells agents that the folder has grown, though it may not have. */
  tellAll(position: number): void {
    const { directory } = this.world.gateway.deps.state
    const { folder } = this.friend
    const account = directory.folder(folder)?.account
    if (account !== undefined)
      this.#server.notify(
        directory.agentsOf(account).map(({ key }) => key),
        { folder, position },
      )
  }

  asked(action: string): number[] {
    return this.heard.filter((each) => each.action === action).map(({ at }) => at)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#server[Symbol.asyncDispose]())
  }
}

/** Changes every string and object inside a JSON value, the innermost first. */
export const edited = (json: Json, edit: (object: JsonObject) => JsonObject): Json => {
  if (typeof json !== 'object' || json === null) return json
  // `Array.isArray` does not narrow readonly arrays.
  if (Array.isArray(json)) return (json as readonly Json[]).map((item) => edited(item, edit))
  return edit(Object.fromEntries(Object.entries(json as JsonObject).map(([name, value]) => [name, edited(value, edit)])))
}
