import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Outcome } from '../compose/failure.ts'
import { printable } from './output.ts'

/** DESIGN.md, section 11: scripts depend on these numbers. */
export const EXIT_CODE: Record<Failure['kind'], number> = { failed: 1, usage: 2, notInSync: 3, unreachable: 4, refused: 5, damaged: 6 }

/** Ends a command: its failure as one sentence on stderr, and the exit code. */
export const conclude = (outcome: Outcome<unknown>): void => {
  if (E.isRight(outcome)) return
  process.exitCode = EXIT_CODE[outcome.left.kind]
  process.stderr.write(`eventsync: ${printable(outcome.left.reason)}\n`)
}

/** A throw is a fault of EventSync itself; the stack is shown on request. */
export const concludeFault = (error: unknown, verbose: boolean): void => {
  process.exitCode = 1
  const text = error instanceof Error ? error.message : String(error)
  const detail = verbose && error instanceof Error ? `\n${error.stack ?? ''}` : ' (--verbose shows where)'
  process.stderr.write(`eventsync: something went wrong inside EventSync: ${text}${detail}\n`)
}
