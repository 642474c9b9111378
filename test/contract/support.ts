import * as E from 'fp-ts/lib/Either.js'

/** What the right of an either holds; a left fails the test with what it says. */
export const right = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(`expected a right, got ${JSON.stringify(either.left)}`)
  return either.right
}

/** The tag of a left, which says why in words too where it has a reason, or `right`. */
export const outcomeOf = (either: E.Either<{ readonly tag: string; readonly reason?: string }, unknown>): string => {
  if (E.isRight(either)) return 'right'
  return either.left.reason === '' ? 'a left without a reason' : either.left.tag
}
