/** Requests of one agent that may be unanswered: it keeps back more, and a gateway need not hold more of it. */
export const SENDER_WINDOW = 16

/** Bytes of them, except that one may always be on its way. */
export const SENDER_WINDOW_BYTES = 12 * 1024 * 1024

/** Messages that a gateway takes from a queue before it has answered them; several times what one sender may fill. */
export const QUEUE_WINDOW = 8 * SENDER_WINDOW
