import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { expired, selfSigned, type Certificate } from '../support/certificate.ts'
import { StandIn } from '../support/eventstoredb/server.ts'
import { embedded } from '../support/profiles/embedded.ts'
import { run, type Finished } from '../support/processes.ts'
import { rabbitVhost } from '../support/servers/rabbitmq-vhost.ts'
import { serverFor } from '../support/servers/server.ts'
import { pathsOf } from '../support/tree.ts'
import { expectSame, PASSWORD, World } from '../support/world.ts'

const directory = mkdtempSync(join(tmpdir(), 'eventsync-tls-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** A file that holds it, so that somebody can be told to trust it. */
const fileOf = ({ cert }: Certificate): string => {
  const file = join(mkdtempSync(join(directory, 'ca-')), 'ca.pem')
  writeFileSync(file, cert)
  return file
}

/** Takes TLS off, with a certificate of the test's choice, in front of a server that has none. */
const terminated = async (certificate: Certificate, target: number): Promise<AsyncDisposable & { readonly port: number }> => {
  const server = createServer(certificate, (near) => {
    const far = connect(target, '127.0.0.1')
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens at a port.
  const { port } = server.address() as AddressInfo
  return { port, [Symbol.asyncDispose]: async () => void server.close() }
}

const register = (server: string, ca?: string): Promise<Finished> =>
  run(['register', 'ada@example.org', '--server', server, '--state', join(directory, 'state')], {
    EVENTSYNC_PASSWORD: PASSWORD,
    ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }),
  })

const EXPIRED = /certificate has expired/
const UNKNOWN = /does not know the authority that signed its certificate: name its file in (?:NODE_EXTRA_CA_CERTS|tlsCAFile)/

const rabbit = await serverFor('rabbitmq')
describe.skipIf(rabbit === undefined)('amqps://', () => {
  test('a gateway and its devices come to the broker with TLS', async () => {
    await using broker = await rabbitVhost(rabbit ?? '')
    const { url, agentUrl, certificate } = broker.vhost.secure
    const devices = { NODE_EXTRA_CA_CERTS: certificate }
    const settings = { ...broker.settings, EVENTSYNC_AMQP_URL: url, ...devices }
    await using world = await World.create({}, { ...embedded(), settings, devices, urlAt: () => agentUrl })
    const [laptop, desktop] = await world.pair()
    writeFileSync(laptop.path('small'), 'over TLS')
    writeFileSync(desktop.path('large'), Buffer.alloc(9_000_000, 'over TLS'))
    await expectSame(laptop, desktop)
    expect(pathsOf(laptop.folder)).toEqual(['large', 'small'])

    const stranger = await register(agentUrl)
    expect(stranger.code).toBe(4)
    expect(stranger.stderr).toMatch(UNKNOWN)
    expect(await register(agentUrl, fileOf(selfSigned()))).toMatchObject({ code: 4, stderr: expect.stringMatching(UNKNOWN) as string })
  })

  test('a certificate that has expired is named as such, by a device and by the gateway', async () => {
    await using broker = await rabbitVhost(rabbit ?? '')
    const old = expired()
    await using proxy = await terminated(old, Number(new URL(broker.vhost.url).port))
    const ca = fileOf(old)
    const late = await register(`amqps://localhost:${proxy.port}/${broker.vhost.name}`, ca)
    expect(late.code).toBe(4)
    expect(late.stderr).toMatch(EXPIRED)
    const url = new URL(broker.vhost.secure.url)
    url.port = String(proxy.port)
    await using world = await World.create()
    await using gateway = world.daemon(['serve', '--data', join(world.root, 'other'), '--listen', '127.0.0.1:0'], {
      ...broker.settings,
      EVENTSYNC_AMQP_URL: url.href,
      NODE_EXTRA_CA_CERTS: ca,
    })
    expect(await gateway.said(EXPIRED)).not.toContain(url.password)
  })
})

describe('esdb:// with TLS', () => {
  const serving = (server: StandIn, ca: string): Promise<Finished> =>
    run(['serve', '--data', join(directory, 'data'), '--listen', '127.0.0.1:0'], {
      EVENTSYNC_LOG_URL: `esdb://admin:hunter2@localhost:${server.port}?tls=true${ca}`,
    })

  test.each([
    ['of an unknown authority', selfSigned(), () => '', UNKNOWN],
    ['of another authority', selfSigned(), () => `&tlsCAFile=${encodeURIComponent(fileOf(selfSigned()))}`, UNKNOWN],
    ['that has expired', expired(), (own: Certificate) => `&tlsCAFile=${encodeURIComponent(fileOf(own))}`, EXPIRED],
  ])('a gateway says that its log has a certificate %s, and ends', async (_, certificate, options, said) => {
    const server = await StandIn.start({ tls: certificate, user: { username: 'admin', password: 'hunter2' } })
    try {
      const { code, stdout, stderr } = await serving(server, options(certificate))
      expect(code).toBe(1)
      expect(stdout + stderr).toMatch(said)
      expect(stdout + stderr).not.toContain('hunter2')
    } finally {
      await server.stop()
    }
  })
})
