import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from './ports.ts'
import type { TestServer } from './known.ts'

const running = promisify(execFile)

const stopAll = (directory: string): void => {
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.pid')))
    try {
      process.kill(Number(readFileSync(join(directory, name), 'utf8')), 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
}

/** A real S3 server, Ceph's RADOS Gateway, on loopback: contents in memory, gone when it stops. */
export const startCeph = async (directory: string): Promise<TestServer> => {
  const [port] = await freePorts(3)
  const [key, secret] = [randomBytes(10).toString('hex'), randomBytes(20).toString('hex')]
  try {
    await running('bash', [join(import.meta.dirname, 'radosgw.sh'), directory, String(port), key, secret])
  } catch (error) {
    stopAll(directory)
    throw error
  }
  return { url: `s3+http://${key}:${secret}@127.0.0.1:${port}/?region=default`, stop: async () => stopAll(directory) }
}
