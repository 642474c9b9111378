import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Unix sockets' addresses hold 107 bytes on Linux and 103 elsewhere. */
const MAX_ADDRESS_BYTES = 100

/**
 * Where an agent listens for `status` and its like: in the folder's own directory of the state, or, where that path is too long for a socket, in a directory of
 * this user under the temporary one, named by hash. Throws where somebody else holds that directory.
 */
export const controlAddress = (folderDirectory: string): string => {
  const beside = join(folderDirectory, 'control.sock')
  if (Buffer.byteLength(beside) <= MAX_ADDRESS_BYTES) return beside
  const user = process.getuid?.() ?? 0
  const directory = join(tmpdir(), `eventsync-${user}`)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const found = lstatSync(directory)
  if (!found.isDirectory() || found.uid !== user || (found.mode & 0o077) !== 0)
    throw new Error(`${directory} is not a private directory of this user: remove it, or use a shorter --state`)
  return join(directory, `${createHash('sha256').update(folderDirectory).digest('hex').slice(0, 32)}.sock`)
}
