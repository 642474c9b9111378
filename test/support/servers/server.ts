import { inject } from 'vitest'
import type { Found } from './global-setup.ts'
import type { ServerName } from './known.ts'

/**
 * The address of a server that a suite needs; it is started when it is first asked for. Undefined where its programs are not installed:
 * the suite is left out then, and says why. In CI nothing is left out: there it throws.
 */
export const serverFor = async (name: ServerName): Promise<string | undefined> => {
  const answer = await fetch(`${inject('servers')}/${name}`)
  // What global-setup.ts writes.
  const found = (await answer.json()) as Found
  if ('url' in found) return found.url
  const message = `the suites that need the server "${name}" cannot run: ${found.missing}`
  if ((process.env['CI'] ?? '') !== '') throw new Error(message)
  process.stderr.write(`${message}\n`)
  return undefined
}
