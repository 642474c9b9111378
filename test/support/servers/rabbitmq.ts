import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, request as send } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { text as readText } from 'node:stream/consumers'
import { selfSigned } from '../certificate.ts'
import { until } from '../wait.ts'
import { freePorts } from './ports.ts'
import { ServerScript } from './script.ts'
import type { TestServer } from './known.ts'

/**
 * The broker asks one fixed address about its users; each test has a virtual host of its own, and says who answers for it
 * (`POST /answers-for/VHOST` with their addresses as the body; an empty one: nobody any more).
 */
const startSwitchboard = async () => {
  const answering = new Map<string, readonly string[]>()
  const server = createServer((request, response) => {
    void (async () => {
      const text = await readText(request)
      const named = /^\/answers-for\/(.+)$/.exec(request.url ?? '')?.[1]
      if (named !== undefined) {
        if (text === '') answering.delete(named)
        else answering.set(named, text.split(' '))
        return void response.end()
      }
      const form = new URLSearchParams(text)
      // The question who somebody is names no virtual host: whoever knows the user may say.
      const vhost = form.get('vhost')
      const asked = vhost === null ? [...answering.values()].flat() : (answering.get(vhost) ?? [])
      const answers = await Promise.all(asked.map((url) => ask(`${url}${request.url}`, text)))
      response.end(answers.find((answer) => answer.startsWith('allow')) ?? 'deny')
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port')
  return { port: address.port, close: () => server.close() }
}

const ask = (url: string, form: string): Promise<string> =>
  new Promise((resolve) => {
    const asking = send(
      url,
      { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, timeout: 5000 },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer.on('end', () => resolve(text))
      },
    )
    asking.on('error', () => resolve('deny'))
    asking.end(form)
  })

/** A broker that can be killed, come back with what it had, and be asked to do things. */
export interface TestRabbit extends TestServer {
  kill(): Promise<void>
  start(): Promise<void>
  /** What it says. */
  ctl(...command: readonly string[]): Promise<string>
}

/** A real RabbitMQ on loopback, with a node name and ports of its own; gone when it stops. */
export const startRabbit = async (directory: string): Promise<TestRabbit> => {
  const [port = 0, tls = 0, management = 0, distribution = 0, epmd = 0] = await freePorts(5)
  mkdirSync(directory, { recursive: true })
  const { cert, key } = selfSigned()
  writeFileSync(join(directory, 'cert.pem'), cert)
  writeFileSync(join(directory, 'key.pem'), key)
  const password = randomBytes(16).toString('hex')
  const switchboard = await startSwitchboard()
  const script = join(import.meta.dirname, 'rabbitmq.sh')
  const auth = `http://127.0.0.1:${switchboard.port}/auth`
  const ports = [port, tls, management, distribution, epmd].map(String)
  const authorization = `Basic ${Buffer.from(`eventsync:${password}`).toString('base64')}`
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${management}/api/overview`, { headers: { authorization } }).then(
      ({ ok }) => ok,
      () => false,
    )
  let broker: ServerScript | undefined
  const kill = async (): Promise<void> => broker?.stop()
  const stop = async (): Promise<void> => {
    switchboard.close()
    await kill()
  }
  const start = async (): Promise<void> => {
    const started = new ServerScript(script, [directory, ...ports, auth, 'eventsync', password])
    broker = started
    await until('the broker', async () => (await answers()) || !started.running, 120)
    if (!started.running) throw new Error(`the broker did not come up: ${started.said}`)
  }
  const ctl = async (...command: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'], HOME: join(directory, 'home'), ERL_EPMD_PORT: String(epmd) }
    const node = `eventsync-${port}@localhost`
    return (await promisify(execFile)('/usr/lib/rabbitmq/bin/rabbitmqctl', ['-n', node, ...command], { env })).stdout
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  const more = new URLSearchParams({
    management: String(management),
    switchboard: String(switchboard.port),
    tls: String(tls),
    certificate: join(directory, 'cert.pem'),
  })
  const url = `amqp://eventsync:${password}@127.0.0.1:${port}/?${more.toString()}`
  return { url, stop, kill, start, ctl }
}
