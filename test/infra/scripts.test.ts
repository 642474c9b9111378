import { execFileSync, spawnSync } from 'node:child_process'
import { createPublicKey, createPrivateKey, X509Certificate } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { signerFromPem } from '../../src/protocol/signing.ts'
import { INFRA } from './compose-files.ts'

let place = ''
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'eventsync-infra-'))
  for (const script of ['make-env', 'make-certificates']) cpSync(join(INFRA, script), join(place, script))
})
afterEach(() => rmSync(place, { recursive: true }))

const run = (script: string, ...args: readonly string[]) => spawnSync(join(place, script), args, { encoding: 'utf8' })
const file = (name: string): string => readFileSync(join(place, name), 'utf8')
const mode = (name: string): number => statSync(join(place, name)).mode & 0o777

test('make-env makes random secrets that only their owner can read, and prints none', () => {
  const made = run('make-env')
  expect(made.status).toBe(0)
  expect(mode('.env')).toBe(0o600)
  const secrets = [...file('.env').matchAll(/^[A-Z_]+(?:PASSWORD|SECRET|COOKIE)=([0-9a-f]+)$/gm)].map(([, value = '']) => value)
  expect(secrets.length).toBe(6)
  expect(new Set(secrets).size).toBe(6)
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThanOrEqual(40)
    expect(made.stdout + made.stderr).not.toContain(secret)
  }
  const first = file('.env')
  rmSync(join(place, '.env'))
  run('make-env')
  expect(file('.env')).not.toBe(first)
})

test('make-env never overwrites an .env, and leaves nothing else behind', () => {
  run('make-env')
  const first = file('.env')
  expect(run('make-env').status).toBe(1)
  expect(file('.env')).toBe(first)
  expect(readdirSync(place).toSorted()).toEqual(['.env', 'make-certificates', 'make-env'])
})

const certificate = (name: string): X509Certificate => new X509Certificate(file(`secrets/${name}.pem`))

test('make-certificates makes an authority, and certificates of it for the names by which servers are reached', () => {
  expect(run('make-certificates', 'sync.example.org', '192.0.2.7').status).toBe(0)
  const authority = certificate('authority/ca')
  expect(authority.ca).toBe(true)
  for (const name of ['log', 'public']) {
    const it = certificate(name)
    expect(it.ca).toBe(false)
    expect(it.verify(authority.publicKey) && it.checkIssued(authority)).toBe(true)
    expect(it.checkPrivateKey(createPrivateKey(file(`secrets/${name}.key`)))).toBe(true)
  }
  expect(certificate('public').checkHost('sync.example.org')).toBe('sync.example.org')
  expect(certificate('public').checkIP('192.0.2.7')).toBe('192.0.2.7')
  for (const host of ['log', 'log1', 'log2', 'log3']) expect(certificate('log').checkHost(host)).toBe(host)
  expect(createPublicKey(file('secrets/gateway.pem')).asymmetricKeyType).toBe('ed25519')
  expect(signerFromPem(file('secrets/gateway.pem')).key).toMatch(/^[0-9A-F]{32}$/)
  expect([mode('secrets'), mode('secrets/ca.key')]).toEqual([0o700, 0o600])
})

test('make-certificates keeps what is there, and makes again what was removed', () => {
  run('make-certificates', 'sync.example.org')
  const before = ['secrets/authority/ca.pem', 'secrets/gateway.pem', 'secrets/public.key'].map(file)
  const [log, shown] = [file('secrets/log.pem'), certificate('public')]
  rmSync(join(place, 'secrets/public.pem'))
  expect(run('make-certificates', 'other.example.org').status).toBe(0)
  expect(['secrets/authority/ca.pem', 'secrets/gateway.pem', 'secrets/public.key'].map(file)).toEqual(before)
  expect(file('secrets/log.pem')).toBe(log)
  expect(certificate('public').serialNumber).not.toBe(shown.serialNumber)
  expect(certificate('public').checkHost('other.example.org')).toBe('other.example.org')
})

test('make-certificates refuses what is no host name', () => {
  expect(run('make-certificates').status).toBe(2)
  expect(run('make-certificates', 'a,DNS:b').status).toBe(2)
})

test('all scripts are of the form that a plain shell takes', () => {
  for (const script of ['make-env', 'make-certificates', 'start-gateway', 'store/prepare', 'rabbitmq/start-node'])
    expect(execFileSync('sh', ['-n', join(INFRA, script)], { encoding: 'utf8' })).toBe('')
})
