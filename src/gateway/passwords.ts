import { scrypt, timingSafeEqual } from 'node:crypto'

/** Makes and checks password verifiers. */
export interface Passwords {
  /** The text that is kept in the place of a password. */
  readonly make: (password: string) => Promise<string>
  /** Takes as long whether the password is right, wrong, or there is no verifier to check against. */
  readonly check: (password: string, verifier: string | undefined) => Promise<boolean>
}

export interface ScryptCost {
  readonly n: number
  readonly r: number
  readonly p: number
}

/** 32 MiB and some 60 ms a check. */
export const SCRYPT_COST: ScryptCost = { n: 2 ** 15, r: 8, p: 1 }

const KEY_BYTES = 32
const SALT_BYTES = 16

const derive = (password: string, salt: Buffer, { n, r, p }: ScryptCost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { N: n, r, p, maxmem: 1_048_576 + 256 * n * r }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })

const VERIFIER = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/

/** Passwords by scrypt, on the thread pool. A verifier says its own cost, so that the cost of new ones can grow. */
export const scryptPasswords = (random: (bytes: number) => Buffer, cost: ScryptCost = SCRYPT_COST): Passwords => {
  const nobody = { cost, salt: random(SALT_BYTES), key: random(KEY_BYTES) }
  return {
    make: async (password) => {
      const salt = random(SALT_BYTES)
      const key = await derive(password, salt, cost)
      return ['scrypt', cost.n, cost.r, cost.p, salt.toString('base64'), key.toString('base64')].join('$')
    },
    check: async (password, verifier) => {
      const expected = (verifier === undefined ? undefined : parse(verifier)) ?? nobody
      return timingSafeEqual(await derive(password, expected.salt, expected.cost), expected.key) && expected !== nobody
    },
  }
}

const parse = (verifier: string): { readonly cost: ScryptCost; readonly salt: Buffer; readonly key: Buffer } | undefined => {
  const [, n, r, p, salt, key] = VERIFIER.exec(verifier) ?? []
  if (salt === undefined || key === undefined) return undefined
  const bytes = Buffer.from(key, 'base64')
  return bytes.length === KEY_BYTES
    ? { cost: { n: Number(n), r: Number(r), p: Number(p) }, salt: Buffer.from(salt, 'base64'), key: bytes }
    : undefined
}
