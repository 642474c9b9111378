import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { until } from '../wait.ts'
import { freePorts } from './ports.ts'
import { ServerScript } from './script.ts'
import type { TestServer } from './known.ts'

/** A real S3 server, Ceph's RADOS Gateway, on loopback: contents in memory, gone when it stops. */
export const startCeph = async (directory: string): Promise<TestServer> => {
  const [port] = await freePorts(3)
  const [key, secret] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  const server = new ServerScript(join(import.meta.dirname, 'radosgw.sh'), [directory, String(port), key, secret])
  try {
    await until('the S3 server', () => server.said.includes(`http://127.0.0.1:${port}`) || !server.running, 120)
    if (!server.running) throw new Error(`the S3 server did not come up: ${server.said}`)
  } catch (error) {
    await server.stop()
    throw error
  }
  return { url: `s3+http://${key}:${secret}@127.0.0.1:${port}/?region=default`, stop: () => server.stop() }
}
