import * as E from 'fp-ts/lib/Either.js'
import { isLoopback } from '../lib/loopback.ts'
import { fail, type Outcome } from './failure.ts'

/** Whether what travels is encrypted. */
const SCHEMES: Readonly<Record<string, boolean>> = { 'ws:': false, 'wss:': true, 'amqp:': false, 'amqps:': true }

/** Validates a gateway's address, or a RabbitMQ's before it: unencrypted only on this machine, unless a person allows it (the password and all contents would be readable on the way). */
export const serverUrl = (text: string, insecure: boolean): Outcome<string> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return fail('usage', `--server ${text} is not a URL: give one like ws://127.0.0.1:4750 or wss://sync.example.org`)
  const encrypted = SCHEMES[url.protocol]
  if (encrypted === undefined) return fail('usage', `--server ${text} must begin with ws://, wss://, amqp:// or amqps://`)
  if (url.username !== '' || url.password !== '') return fail('usage', '--server must not hold a user name or a password')
  if (!encrypted && !isLoopback(url.hostname) && !insecure)
    return fail(
      'usage',
      `${text} is not encrypted and not on this machine: use ${url.protocol === 'amqp:' ? 'amqps' : 'wss'}://, or add --insecure where the network itself is trusted`,
    )
  url.hash = ''
  return E.right(url.pathname === '/' ? url.href.replace(/\/$/, '') : url.href)
}
