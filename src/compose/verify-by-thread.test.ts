import { expect, it } from 'vitest'
import { createKeyPair } from '../protocol/signing.ts'
import { verifyByThread } from './verify-by-thread.ts'

const signer = createKeyPair(Buffer.alloc(32, 1))
const other = createKeyPair(Buffer.alloc(32, 2))

/** Each with whether it is right, in an order that tells answers that were mixed up. */
const questions = Array.from({ length: 100 }, (_, index) => {
  const right = (index * 7) % 3 !== 0
  return { text: `text ${index}`, signature: (right ? signer : other).sign(`text ${index}`), right }
})

const askAll = (verify: ReturnType<typeof verifyByThread>['verify']) =>
  questions.map(({ text, signature }) => verify(signer.publicKey, text, signature))

const expected = questions.map(({ right }) => right)

it('answers each of a burst as it is, and what is no signature at all', async () => {
  using checks = verifyByThread()
  expect(await Promise.all(askAll(checks.verify))).toEqual(expected)
  expect(await Promise.all([checks.verify('', '', ''), checks.verify(signer.publicKey, 'a', 'b')])).toEqual([false, false])
  const { text, signature } = questions[1]!
  expect(await checks.verify(signer.publicKey, text, signature)).toBe(true)
})

it('answers those that are under way when its thread ends, and all that come later', async () => {
  const checks = verifyByThread()
  await Promise.all(askAll(checks.verify))
  const underWay = askAll(checks.verify)
  checks[Symbol.dispose]()
  expect(await Promise.all(underWay)).toEqual(expected)
  expect(await Promise.all(askAll(checks.verify))).toEqual(expected)
})
