import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { scryptPasswords } from './passwords.ts'

const cheap = { n: 16, r: 1, p: 1 }

describe('passwords', () => {
  it('are kept as a verifier that says its cost, and never twice the same', async () => {
    const passwords = scryptPasswords(randomBytes, cheap)
    const [one, two] = [await passwords.make('secret'), await passwords.make('secret')]
    expect(one).toMatch(/^scrypt\$16\$1\$1\$/)
    expect(one).not.toBe(two)
    expect(await Promise.all([one, two].map((verifier) => passwords.check('secret', verifier)))).toEqual([true, true])
    expect(await passwords.check('Secret', one)).toBe(false)
  })

  it('an old verifier of another cost still holds', async () => {
    const verifier = await scryptPasswords(randomBytes, cheap).make('secret')
    expect(await scryptPasswords(randomBytes, { n: 32, r: 2, p: 1 }).check('secret', verifier)).toBe(true)
  })

  it('nothing matches where there is no verifier, or a broken one', async () => {
    const passwords = scryptPasswords(randomBytes, cheap)
    for (const verifier of [undefined, '', 'scrypt$16$1$1$AAAA$AAAA', 'plain']) expect(await passwords.check('', verifier)).toBe(false)
  })
})
