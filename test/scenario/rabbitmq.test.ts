import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { md5 } from '../support/pysync-client.ts'
import { createRabbitWorld } from '../support/rabbit-world.ts'
import { run } from '../support/processes.ts'
import { serverFor } from '../support/servers/server.ts'
import { pathsOf } from '../support/tree.ts'
import { EMAIL, PASSWORD } from '../support/world.ts'
import { until, within } from '../support/wait.ts'

const KEY = '6C19A781148814833ED25840B7A07BA7'
const USER = 'usuario01@pysync.com'
const CLIENT = join(import.meta.dirname, '..', '..', 'examples', 'pysync_client.py')

/** The statuses that the server answered one command with. */
const runPySync = (args: readonly string[], password: string): Promise<readonly number[]> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], PYSYNC_PASSWORD: password }
    // Debian's Python has Debian's pika.
    execFile('/usr/bin/python3', [CLIENT, ...args], { env, timeout: 60_000 }, (_, stdout) => {
      const lines = stdout.split('\n').filter((line) => line !== '')
      resolve(lines.map((line) => (JSON.parse(line) as { readonly Status: number }).Status))
    })
  })

const server = await serverFor('rabbitmq')

describe.skipIf(server === undefined)('over RabbitMQ', () => {
  test('two devices register, stay in sync, and one that is revoked is cut off', async () => {
    await using net = await createRabbitWorld(server ?? '')
    const [laptop, desktop] = [await net.device('laptop'), await net.device('desktop')]
    for (const device of [laptop, desktop]) await device.start()
    const large = Buffer.alloc(9_000_000, 'large')
    writeFileSync(laptop.path('large'), large)
    writeFileSync(laptop.path('small'), 'small')
    await laptop.settle()
    await desktop.settle()
    expect(pathsOf(desktop.folder)).toEqual(['large', 'small'])
    expect(readFileSync(desktop.path('large')).equals(large)).toBe(true)

    writeFileSync(desktop.path('back'), 'from the desktop')
    await until('the file to arrive by a notification', () => pathsOf(laptop.folder).includes('back'))

    expect(await desktop.run('agents', 'revoke', 'laptop')).toMatchObject({ code: 0 })
    // The broker only lets it in no more; that it is refused, and why, is the gateway's own word.
    expect(await within('the end of the revoked device', laptop.agent.ended, 30)).toBe(5)
    expect(laptop.agent.lines.join('\n')).toContain('revoked')
    expect((await laptop.run('status')).stdout).toContain('the agent has been revoked')
    expect(await laptop.run('agent', laptop.folder, '--once')).toMatchObject({ code: 5 })
    writeFileSync(desktop.path('later'), 'goes on')
    await desktop.settle()
    expect(pathsOf(laptop.folder)).not.toContain('later')
  })

  test('enrolment is refused where the password, the account or the device is not right; a gateway that is away refuses nobody', async () => {
    await using net = await createRabbitWorld(server ?? '')
    const [laptop, desktop] = [await net.device('laptop'), await net.device('desktop')]
    const enrol = (name: string, email: string, password: string) => {
      const state = join(net.world.root, `${name}-state`)
      return run(['register', email, '--server', net.url, '--name', name, '--state', state], { EVENTSYNC_PASSWORD: password })
    }
    const wrong = await enrol('phone', EMAIL, 'wrong')
    const nobody = await enrol('phone', 'nobody@example.org', PASSWORD)
    expect([wrong.code, nobody.code]).toEqual([5, 5])
    // Who there is can't be told from the answer.
    expect(wrong.stderr).toBe(nobody.stderr)
    expect(await desktop.run('agents', 'revoke', 'laptop')).toMatchObject({ code: 0 })
    const again = await enrol('laptop', EMAIL, PASSWORD)
    expect([again.code, again.stderr]).toEqual([5, expect.stringContaining('revoked') as string])
    expect(await enrol('phone', EMAIL, PASSWORD)).toMatchObject({ code: 0 })
    await net.world.gateway.stop()
    // The broker refuses all of them now, as nobody answers for them.
    for (const device of [laptop, desktop])
      expect(await device.run('agent', device.folder, '--once', '--timeout', '15')).toMatchObject({ code: 4 })
  })

  test("the example client does all of PySync's document, beside an agent", async () => {
    await using net = await createRabbitWorld(server ?? '', { EVENTSYNC_PASSWORD_CLIENTS: 'allow' })
    const { root } = net.world
    const statuses = (args: readonly string[], password = 'senha', key = KEY): Promise<readonly number[]> =>
      runPySync([net.url, key, USER, ...args], password)
    expect(await statuses(['register-user'])).toEqual([200])
    expect(await statuses(['register-agent'])).toEqual([200])
    const laptop = await net.device('laptop', { email: USER, password: md5('senha') })
    await laptop.start()

    const content = Buffer.alloc(3_000_000, 'conteúdo')
    writeFileSync(join(root, 'Arquivo01.txt'), content)
    writeFileSync(join(root, 'novo'), 'novo')
    writeFileSync(join(root, 'vazio.txt'), '')
    expect(await statuses(['create', join(root, 'Arquivo01.txt')])).toEqual([100, 200])
    expect(await statuses(['create', join(root, 'vazio.txt')])).toEqual([200])
    await laptop.settle()
    expect(readFileSync(laptop.path('Arquivo01.txt')).equals(content)).toBe(true)

    writeFileSync(laptop.path('from the agent'), 'hello')
    await laptop.settle()
    expect(await statuses(['open', 'from the agent', join(root, 'opened')])).toEqual([200])
    expect(readFileSync(join(root, 'opened'), 'utf8')).toBe('hello')
    expect(await statuses(['open', 'Arquivo01.txt', join(root, 'opened')])).toEqual([200])
    expect(readFileSync(join(root, 'opened')).equals(content)).toBe(true)
    expect(await statuses(['sync'])).toEqual([200])

    expect(await statuses(['update', 'Arquivo01.txt', join(root, 'novo')])).toEqual([100, 200])
    expect(await statuses(['delete', 'vazio.txt'])).toEqual([200])
    for (const gone of [
      ['delete', 'vazio.txt'],
      ['open', 'vazio.txt', join(root, 'x')],
      ['update', 'vazio.txt', join(root, 'novo')],
    ])
      expect(await statuses(gone)).toEqual([404])
    await laptop.settle()
    expect(pathsOf(laptop.folder)).toEqual(['Arquivo01.txt', 'from the agent'])
    expect(readFileSync(laptop.path('Arquivo01.txt'), 'utf8')).toBe('novo')

    // The broker lets nobody in with a wrong password, or who is not enrolled: there is no answer then.
    expect(await statuses(['sync'], 'errada')).toEqual([])
    expect(await statuses(['sync'], 'senha', 'F'.repeat(32))).toEqual([])
    expect(await statuses(['register-agent'], 'errada', 'E'.repeat(32))).toEqual([403])
  })
})
