import type { Clock } from '../../lib/clock.ts'
import type { Code } from '../../protocol/messages.ts'
import { NO_BYTES, type Envelope } from '../port.ts'

/** The transport's own answer to what no handler saw, or answered. */
export const refusal = (clock: Clock, status: 400 | 403 | 413 | 500 | 503, code: Code, reason: string): Envelope => ({
  message: { Action: 'ServerResponse', Timestamp: clock.wall() / 1000, Status: status, Code: code, Reason: reason },
  payload: NO_BYTES,
})
