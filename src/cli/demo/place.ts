import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'

export const DEVICES = ['laptop', 'desktop'] as const
export type DeviceName = (typeof DEVICES)[number]

export const EMAIL = 'you@example.org'

/** Where the demo keeps its things: the two folders, and beside them, hidden, what a gateway and two devices keep. */
export interface Place {
  readonly folder: (device: DeviceName) => string
  readonly state: (device: DeviceName) => string
  readonly data: string
  readonly password: string
  /** It was not there before. */
  readonly fresh: boolean
}

export const openPlace = (directory: string): Place => {
  const root = resolve(directory)
  const hidden = join(root, '.state')
  const passwordFile = join(hidden, 'password')
  const fresh = !existsSync(passwordFile)
  mkdirSync(hidden, { recursive: true, mode: 0o700 })
  if (fresh) writeFileSync(passwordFile, randomBytes(12).toString('hex'), { mode: 0o600 })
  return {
    folder: (device) => join(root, device),
    state: (device) => join(hidden, device),
    data: join(hidden, 'gateway'),
    password: readFileSync(passwordFile, 'utf8'),
    fresh,
  }
}

const DEFAULT_PORT = 4750

/** The port that the demo had before, or the default one, or, where that is taken, any free one; remembered. */
export const choosePort = async (place: Place): Promise<number> => {
  const file = join(place.data, '..', 'port')
  const before = existsSync(file) ? Number(readFileSync(file, 'utf8')) : DEFAULT_PORT
  const port = (await freePort(before)) ?? (await freePort(0)) ?? before
  writeFileSync(file, String(port))
  return port
}

/** The port if it can be listened on; 0 asks for any. */
const freePort = (port: number): Promise<number | undefined> =>
  new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })

/** A path as a person would type it here. */
export const shown = (path: string): string => {
  const from = relative(process.cwd(), path)
  return from.startsWith('..') ? path : from
}

const WELCOME = `This file was written into the laptop's folder, and EventSync brought it to the desktop's.

Change it, move it, delete it, in either folder: the other one follows.
`

/** Something to see, the first time. */
export const writeWelcome = (place: Place): void => {
  mkdirSync(place.folder('laptop'), { recursive: true })
  writeFileSync(join(place.folder('laptop'), 'Welcome.txt'), WELCOME)
}
