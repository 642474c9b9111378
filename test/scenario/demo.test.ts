import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Daemon } from '../support/processes.ts'
import { until } from '../support/wait.ts'

const directory = mkdtempSync(join(tmpdir(), 'es-demo-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const read = (path: string): string | undefined => {
  try {
    return readFileSync(join(directory, path), 'utf8')
  } catch {
    return undefined
  }
}

/** The gateway's port, as the demo remembers it. */
const gatewayIsGone = async (): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${read('.state/port') ?? ''}/healthz`).catch(() => undefined)) === undefined

test('the first look: two folders in sync; Ctrl-C; again: it goes on', async () => {
  {
    await using demo = new Daemon(['demo', '--directory', directory])
    await demo.said(/desktop +received: new Welcome\.txt/)
    await demo.said(/What to try next/)
    writeFileSync(join(directory, 'desktop', 'hello.txt'), 'hello')
    await until('the file on the laptop', () => read('laptop/hello.txt') === 'hello')
    await demo.said(/laptop +received: new hello\.txt/)
    expect(await demo.stop('SIGINT')).toBe(0)
    expect(await gatewayIsGone()).toBe(true)
  }
  appendFileSync(join(directory, 'laptop', 'hello.txt'), ', again')
  {
    await using demo = new Daemon(['demo', '--directory', directory])
    await until('the edit that was made while it was off', () => read('desktop/hello.txt') === 'hello, again')
    expect(await demo.stop('SIGINT')).toBe(0)
  }
  expect(await gatewayIsGone()).toBe(true)
})

test('its processes end with it, however it ends', async () => {
  await using demo = new Daemon(['demo', '--directory', directory])
  await demo.said(/What to try next/)
  await demo.kill()
  await until('the gateway to be gone', gatewayIsGone)
})
