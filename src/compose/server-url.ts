import * as E from 'fp-ts/lib/Either.js'
import { isLoopback } from '../lib/loopback.ts'
import { fail, type Outcome } from './failure.ts'

/** Validates a gateway's address: `ws://` only on this machine, unless a person allows it (the password and all contents would be readable on the way). */
export const serverUrl = (text: string, insecure: boolean): Outcome<string> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return fail('usage', `--server ${text} is not a URL: give one like ws://127.0.0.1:4750 or wss://sync.example.org`)
  if (url.protocol === 'amqp:' || url.protocol === 'amqps:')
    return fail('usage', 'RabbitMQ (amqp://) is not in this version: give a ws:// or wss:// address')
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') return fail('usage', `--server ${text} must begin with ws:// or wss://`)
  if (url.username !== '' || url.password !== '') return fail('usage', '--server must not hold a user name or a password')
  if (url.protocol === 'ws:' && !isLoopback(url.hostname) && !insecure)
    return fail(
      'usage',
      `${text} is not encrypted and not on this machine: use wss://, or add --insecure where the network itself is trusted`,
    )
  url.hash = ''
  return E.right(url.pathname === '/' ? url.href.replace(/\/$/, '') : url.href)
}
