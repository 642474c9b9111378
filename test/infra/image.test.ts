import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newKeyPem } from '../../src/protocol/signing.ts'
import { selfSigned } from '../support/certificate.ts'
import { freePorts } from '../support/servers/ports.ts'
import { until, within } from '../support/wait.ts'
import { INFRA, read } from './compose-files.ts'

const ROOT = join(INFRA, '..')
const dockerfile = read('Dockerfile')
const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))

test('the image is built in stages from a pinned Node, and runs as a user without rights', () => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
  expect(bases.length).toBe(3)
  for (const base of bases) expect(base).toMatch(/^node:24\.\d+\.\d+-bookworm-slim$/)
  expect(last).toMatch(/^USER [1-9]\d+:[1-9]\d+$/m)
  expect(last).toMatch(/^STOPSIGNAL SIGTERM$/m)
  expect(last).toMatch(/^HEALTHCHECK .*healthcheck\.ts"\]$/m)
  expect(last).not.toContain('npm')
})

test('what the image is built from is there and comes into the build; secrets do not', () => {
  const allowed = [...read('Dockerfile.dockerignore').matchAll(/^!(\S+)$/gm)].map(([, path = '']) => path)
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(?:--\S+ )?(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '))
  for (const path of copied.filter((each) => each !== '.')) expect(allowed).toContain(path)
  for (const path of allowed) expect(existsSync(join(ROOT, path)), path).toBe(true)
  expect(read('Dockerfile.dockerignore').split('\n')[0]).toBe('*')
  expect(allowed.filter((path) => /secrets|\.env|^infra$/.test(path))).toEqual([])
})

const packageJson: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))

test('the image, the compose files and the package have one version', () => {
  const version = typeof packageJson === 'object' && packageJson !== null && 'version' in packageJson ? String(packageJson.version) : ''
  for (const name of ['Dockerfile', 'docker-compose.yml', 'docker-compose.cluster.yml']) {
    const named = [...read(name).matchAll(/eventsync:(\d[\d.]*)/g)].map(([, each]) => each)
    expect(new Set(named)).toEqual(new Set([version]))
  }
})

const healthcheck = (env: Readonly<Record<string, string>>): number | null =>
  spawnSync(join(ROOT, 'bin/node24'), [join(INFRA, 'healthcheck.ts')], { env: { ...process.env, ...env } }).status

test('a gateway started by the entry point signs with the key that all share, tells its health, and stops by the signal', async () => {
  const place = mkdtempSync(join(tmpdir(), 'eventsync-image-'))
  const at = (name: string): string => join(place, name)
  const { cert, key } = selfSigned()
  const [port = 0] = await freePorts(1)
  const shared = newKeyPem()
  for (const [name, text] of Object.entries({ cert, key, shared })) writeFileSync(at(name), text)
  mkdirSync(at('data'))
  const env = {
    EVENTSYNC_DATA: at('data'),
    EVENTSYNC_LISTEN: `127.0.0.1:${port}`,
    EVENTSYNC_TLS_CERT: at('cert'),
    EVENTSYNC_TLS_KEY: at('key'),
    GATEWAY_KEY_FILE: at('shared'),
  }
  expect(healthcheck(env)).toBe(1)
  const gateway = spawn(join(INFRA, 'start-gateway'), ['serve'], { env: { ...process.env, ...env }, stdio: 'ignore' })
  const ended = new Promise((resolve) => gateway.once('close', resolve))
  try {
    await until('the gateway', () => healthcheck(env) === 0)
    expect(readFileSync(at('data/gateway.pem'), 'utf8')).toBe(shared)
    expect(statSync(at('data/gateway.pem')).mode & 0o777).toBe(0o600)
    gateway.kill('SIGTERM')
    expect(await within('its end', ended)).toBe(0)
    expect(healthcheck(env)).toBe(1)
  } finally {
    gateway.kill('SIGKILL')
    await ended
    rmSync(place, { recursive: true })
  }
})
