import type { AmqpChannel, AmqpConnection } from './amqp.ts'
import { Consumer, type Source } from './consumer.ts'
import type { ServerShared } from './shared.ts'

/**
 * One queue, for as long as the server runs. The broker lets one gateway read it at a time, the one that has stood in line longest; so a gateway
 * hands a queue over by leaving its place and standing at the end of the line again.
 */
export class Reader {
  readonly source: Source
  readonly #open: () => Promise<Consumer>
  readonly #end = Promise.withResolvers<string>()
  #consumer: Consumer
  #standingBack: Promise<void> | undefined
  #stopped = false

  private constructor(source: Source, open: () => Promise<Consumer>, first: Consumer) {
    this.source = source
    this.#open = open
    this.#consumer = this.#use(first)
  }

  static async start(shared: ServerShared, source: Source, taking: AmqpConnection, answers: AmqpChannel): Promise<Reader> {
    const open = (): Promise<Consumer> => Consumer.start(shared, source, taking, answers)
    return new Reader(source, open, await open())
  }

  /** Resolves, with the reason, when it reads no more though nobody stopped it. */
  get closed(): Promise<string> {
    return this.#end.promise
  }

  /** Answers what has begun, gives the rest back, and stands at the end of the line. */
  standBack(): Promise<void> {
    this.#standingBack ??= this.#again().finally(() => (this.#standingBack = undefined))
    return this.#standingBack
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#standingBack
    await this.#consumer.stop()
  }

  async #again(): Promise<void> {
    await this.#consumer.stop()
    if (this.#stopped) return
    try {
      this.#consumer = this.#use(await this.#open())
    } catch (error) {
      this.#end.resolve(error instanceof Error ? error.message : String(error))
    }
  }

  #use(consumer: Consumer): Consumer {
    void consumer.closed.then((reason) => (consumer.stopped ? undefined : this.#end.resolve(reason)))
    return consumer
  }
}
