/** From the gateway's thread to the one that follows the log. */
export type ToFollower = { readonly tag: 'ring' } | { readonly tag: 'stop' }

/** And back. */
export type FromFollower =
  /** The tables hold everything up to this place in the log. */
  | { readonly tag: 'at'; readonly order: bigint }
  /** The end of the log was reached for the first time. */
  | { readonly tag: 'caughtUp' }
  /** Nothing is followed any more. */
  | { readonly tag: 'stopped'; readonly reason: string }

/** The part of a MessagePort, or of a Worker, that both sides use. */
export interface FollowPort<Out, In> {
  postMessage(message: Out): void
  on(event: 'message', listener: (message: In) => void): unknown
}
