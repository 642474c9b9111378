import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { COMPOSE_FILES, composeFile, INFRA, namesOf, networksOf, parsed, read, type Service } from './compose-files.ts'

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
const schema: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'compose-spec/compose-spec.json'), 'utf8'))
// The specification names its draft with https.
const fits = ajv.compile({ ...(schema as object), $schema: 'http://json-schema.org/draft-07/schema#' })

const isOneShot = ({ restart = '' }: Service): boolean => restart.startsWith('on-failure')

const VARIABLE = /\$\{([A-Z_]+)(:[?-])?([^}]*)\}/g
const variables = (text: string): readonly string[] => [...text.matchAll(VARIABLE)].map(([, name = '']) => name)

test('the schema refuses what is no compose file', () => {
  expect(fits({ services: { one: { image: 'a:1', prots: ['1:1'] } } })).toBe(false)
  expect(fits({ services: { one: { image: 'a:1', restart: 3 } } })).toBe(false)
})

test.each(COMPOSE_FILES)('%s is of the form that the specification of compose files asks for', (name) => {
  expect(fits(parsed(read(name))) ? [] : fits.errors).toEqual([])
})

test.each(COMPOSE_FILES)(
  '%s pins every image, and gives every service a host name, a restart policy, limits and a health check',
  (name) => {
    for (const [service, it] of Object.entries(composeFile(name).services)) {
      expect(it.image, service).toMatch(/^[a-z/]+:(?:RELEASE\.)?\d[\w.-]*$/)
      expect(it.hostname, service).toBe(service)
      expect(it.restart, service).toMatch(isOneShot(it) ? /^on-failure:\d$/ : /^unless-stopped$/)
      expect(Object.keys(it.deploy?.resources?.limits ?? {}).toSorted(), service).toEqual(['cpus', 'memory', 'pids'])
      expect(it.security_opt, service).toContain('no-new-privileges:true')
      if (!isOneShot(it)) expect(it.healthcheck?.test.length, service).toBeGreaterThan(1)
    }
  },
)

test.each(COMPOSE_FILES)('%s publishes what devices connect to, and nothing else, on 127.0.0.1 unless it is told otherwise', (name) => {
  const ports = Object.values(composeFile(name).services).flatMap((it) => it.ports ?? [])
  const bind = ['$', '{EVENTSYNC_BIND:-127.0.0.1}'].join('')
  expect(ports.toSorted()).toEqual([`${bind}:4750:4750`, `${bind}:5671:5671`])
})

test.each(COMPOSE_FILES)('%s lets only what publishes a port out of the stack', (name) => {
  const { services, networks } = composeFile(name)
  const outward = Object.entries(services).filter(([, it]) => networksOf(it).some((network) => networks[network]?.internal !== true))
  expect(outward.map(([service]) => service)).toEqual(
    Object.entries(services)
      .filter(([, it]) => it.ports !== undefined)
      .map(([service]) => service),
  )
})

test.each(COMPOSE_FILES)('%s holds no secret: each comes from a variable that make-env makes, without a default', (name) => {
  const made = new Set([...read('make-env').matchAll(/^([A-Z_]+)=/gm)].map(([, variable = '']) => variable))
  const text = read(name)
  for (const variable of variables(text)) expect(made).toContain(variable)
  for (const [whole, variable = '', , rest = ''] of text.matchAll(VARIABLE))
    if (/PASSWORD$|SECRET|COOKIE|KEY|USER/.test(variable)) expect(whole, rest).toContain(':?')
  for (const [service, { environment = {} }] of Object.entries(composeFile(name).services))
    for (const [key, value] of Object.entries(environment)) {
      const secret = /PASS$|PASSWORD$|SECRET$|COOKIE$|_KEY$/.test(key) && !/FILE$|TLS_KEY$|PATH$/.test(key)
      if (secret) expect(value, `${service}: ${key}`).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/)
      const user = /:\/\/([^@]*)@/.exec(value)?.[1]
      if (user !== undefined) expect(user, `${service}: ${key}`).toMatch(/^(?:\w+|\$\{[A-Z_]+:\?[^}]+\}):\$\{[A-Z_]+:\?[^}]+\}$/)
    }
})

test('every secret that make-env makes is used', () => {
  const used = new Set(COMPOSE_FILES.flatMap((name) => variables(read(name))))
  const made = [...read('make-env').matchAll(/^([A-Z_]+)=/gm)].map(([, variable = '']) => variable)
  expect(made.filter((variable) => !used.has(variable))).toEqual([])
})

test.each(COMPOSE_FILES)('in %s every server that an address names is a service on a network of whoever asks', (name) => {
  const { services } = composeFile(name)
  for (const [service, it] of Object.entries(services)) {
    const seen = new Set(
      networksOf(it).flatMap((network) =>
        Object.entries(services)
          .filter(([, other]) => networksOf(other).includes(network))
          .flatMap(([other, its]) => namesOf(other, its, network)),
      ),
    )
    for (const [key, value] of Object.entries(it.environment ?? {})) {
      const hosts = /:\/\/[^@]*@([^/?]+)/.exec(value)?.[1] ?? (key.endsWith('GOSSIP_SEED') ? value : '')
      for (const host of hosts.split(',').filter((each) => each !== '')) expect(seen, `${service}: ${key}`).toContain(host.split(':')[0])
    }
    if (it.image.startsWith('rabbitmq')) expect(seen, service).toContain('broker-auth')
  }
})

test.each(COMPOSE_FILES)('in %s whatever is waited for can come about, and every file that is mounted is there or gets made', (name) => {
  const { services, secrets } = composeFile(name)
  const certificates = read('make-certificates')
  for (const [service, it] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(it.depends_on ?? {})) {
      const awaited = services[other]
      expect(awaited, `${service} waits for ${other}`).toBeDefined()
      if (condition === 'service_healthy') expect(awaited?.healthcheck, `${service} waits for ${other}`).toBeDefined()
      if (condition === 'service_completed_successfully') expect(awaited?.restart, other).toMatch(/^on-failure/)
    }
    for (const volume of it.volumes ?? []) {
      const [source = ''] = volume.split(':')
      if (source.startsWith('./') && source !== './secrets/authority') expect(existsSync(join(INFRA, source)), volume).toBe(true)
    }
    for (const secret of it.secrets ?? []) expect(secrets[secret], `${service}: ${secret}`).toBeDefined()
  }
  for (const { file } of Object.values(secrets)) {
    const base = file.replace('./secrets/', '').replace(/\.(?:pem|key)$/, '')
    expect(certificates, file).toMatch(new RegExp(`certificate ${base} |secrets/${base}\\.pem`))
  }
})

test.each(COMPOSE_FILES)('the gateways of %s need no right, and write nothing but their data', (name) => {
  const gateways = Object.values(composeFile(name).services).filter(({ image }) => image.startsWith('eventsync:'))
  expect(gateways.length).toBeGreaterThan(0)
  for (const gateway of gateways) expect(gateway).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
})

test.each(COMPOSE_FILES)('%s gives the broker no variable that its image exits on', (name) => {
  for (const { image, environment = {} } of Object.values(composeFile(name).services))
    if (image.startsWith('rabbitmq')) expect(Object.keys(environment).filter((key) => key.endsWith('_FILE'))).toEqual([])
})

test('the cluster has three nodes of the broker and of the log, four of the store, two gateways and a balancer that knows them all', () => {
  const { services } = composeFile('docker-compose.cluster.yml')
  const count = (image: string): number =>
    Object.values(services).filter((it) => it.image.startsWith(image) && it.healthcheck !== undefined).length
  expect([count('rabbitmq'), count('kurrentplatform'), count('pgsty/silo'), count('eventsync'), count('haproxy')]).toEqual([3, 3, 4, 2, 1])
  const balanced = [...read('haproxy/haproxy.cfg').matchAll(/^\s+server (\S+) (\S+):\d+/gm)]
  for (const [, name = '', host = ''] of balanced) expect([name, services[host]?.hostname]).toEqual([host, host])
  expect(new Set(balanced.map(([, name]) => name))).toEqual(
    new Set(Object.keys(services).filter((name) => /^(?:queue|store|gateway)\d$/.test(name))),
  )
  for (const node of read('rabbitmq/cluster.conf').matchAll(/rabbit@(\S+)/g))
    expect(services[node[1] ?? '']?.environment?.['RABBITMQ_NODENAME']).toBe(node[0])
})
