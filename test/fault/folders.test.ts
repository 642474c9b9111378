import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pathsOf } from '../support/tree.ts'
import { until } from '../support/wait.ts'
import { expectSame, World, type Device } from '../support/world.ts'
import { SmallDisk } from './support/small-disk.ts'

const write = (device: Device, count: number, prefix = 'file'): void => {
  for (let n = 0; n < count; n += 1) writeFileSync(device.path(`${prefix} ${n}`), `${prefix} ${n}`)
}

test('I15: a root that is unmounted, replaced or emptied deletes nothing elsewhere, says so, and goes on when it is back', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  using disk = new SmallDisk(desktop.folder, 8)
  for (const device of [laptop, desktop]) await device.start()
  write(desktop, 15)
  await expectSame(laptop, desktop)
  await desktop.agent.stop()
  // An unmounted disk shows the empty directory under it.
  disk.unmount()
  const absent = await desktop.run('agent', desktop.folder, '--once')
  expect(absent.code).not.toBe(0)
  expect(`${absent.stderr}${absent.stdout}`).toMatch(/marker|unmounted|replaced/)
  await laptop.settle()
  expect(pathsOf(laptop.folder).length).toBe(15)
  // While it runs: moved away, another in its place, and back.
  const away = `${laptop.folder}-away`
  renameSync(laptop.folder, away)
  mkdirSync(laptop.folder)
  writeFileSync(join(laptop.folder, 'stranger'), 'x')
  await laptop.settle().catch(() => undefined)
  const lost = await until('it to be noticed', async () => {
    const status = await laptop.status()
    return status.held.length > 0 && status
  })
  expect(lost.lastError).toMatch(/marker|replaced|missing/)
  const third = await world.device('third')
  await third.start()
  await third.settle()
  expect(pathsOf(third.folder).length).toBe(15)
  rmSync(laptop.folder, { recursive: true })
  renameSync(away, laptop.folder)
  await until('it to go on', async () => (await laptop.status()).held.length === 0)
  await expectSame(laptop, third)
})

test('sockets, fifos, device nodes and immutable files: reported or kept, and everything else goes on', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  write(laptop, 5)
  await expectSame(laptop, desktop)
  execFileSync('mkfifo', [laptop.path('fifo')])
  execFileSync('mknod', [laptop.path('device'), 'c', '1', '3'])
  const server = createServer().listen(laptop.path('socket'))
  const immutable = (flag: '+i' | '-i'): void => void execFileSync('chattr', [flag, desktop.path('file 0'), laptop.path('file 1')])
  immutable('+i')
  try {
    write(laptop, 5, 'later')
    writeFileSync(laptop.path('file 0'), 'changed where it can be')
    const blocked = await until('all else to come, and the rest to be named', async () => {
      await laptop.settle()
      const { problems } = await desktop.status()
      return pathsOf(desktop.folder).length === 10 && problems.some(({ path }) => path === 'file 0') && problems
    })
    expect(blocked).toEqual([{ path: 'file 0', reason: expect.stringMatching(/permi/) as string }])
    const named = (await laptop.status()).problems.map(({ path }) => path).toSorted()
    expect(named).toEqual(['device', 'fifo', 'socket'])
    expect(readFileSync(desktop.path('file 0'), 'utf8')).toBe('file 0')
  } finally {
    immutable('-i')
    server.close()
  }
  for (const name of ['fifo', 'device']) rmSync(laptop.path(name))
  rmSync(laptop.path('socket'), { force: true })
  await until(
    'the change to come',
    async () => {
      await desktop.settle()
      return readFileSync(desktop.path('file 0'), 'utf8') === 'changed where it can be'
    },
    30,
  )
  await expectSame(laptop, desktop)
})

test('directories without permission are unknown, not empty: nothing under them is deleted', async () => {
  // Root reads everything: the agent runs as nobody, where there is such a user.
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('closed'))
  for (let n = 0; n < 5; n += 1) writeFileSync(laptop.path('closed', `${n}`), `${n}`)
  write(laptop, 3)
  await expectSame(laptop, desktop)
  await laptop.agent.stop()
  execFileSync('chown', ['-R', 'nobody', laptop.folder, laptop.state])
  chmodSync(world.root, 0o755)
  chmodSync(laptop.path('closed'), 0o000)
  rmSync(laptop.path('file 0'))
  const once = (): { readonly code: number; readonly said: string } => {
    try {
      const said = execFileSync(
        'setpriv',
        [
          '--reuid=nobody',
          '--clear-groups',
          join(import.meta.dirname, '../../bin/eventsync'),
          'agent',
          laptop.folder,
          '--once',
          '--state',
          laptop.state,
        ],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 },
      )
      return { code: 0, said }
    } catch (error) {
      // What `execFileSync` throws has these.
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return { code: status, said: `${stdout}${stderr}` }
    }
  }
  const refused = once()
  expect(refused).toMatchObject({ code: 3, said: expect.stringMatching(/closed.*permission/s) as string })
  await desktop.settle()
  expect(pathsOf(desktop.folder)).toEqual(['closed', 'closed/0', 'closed/1', 'closed/2', 'closed/3', 'closed/4', 'file 1', 'file 2'])
  chmodSync(laptop.path('closed'), 0o755)
  expect(once()).toMatchObject({ code: 0 })
  await desktop.settle()
  expect(desktop.tree).toEqual(laptop.tree)
})

test('a file that is written to all the time holds up nothing else, and arrives whole in the end', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  writeFileSync(laptop.path('busy'), '')
  const busy = openSync(laptop.path('busy'), 'r+')
  let line = 0
  const rewrite = (): void => {
    // Each line names the same round: a mixture would show.
    line += 1
    ftruncateSync(busy)
    writeSync(busy, `${line}\n`.repeat(5000), 0)
  }
  const writing = setInterval(rewrite, 5)
  try {
    write(laptop, 200)
    await until('the others', () => pathsOf(desktop.folder).filter((path) => path.startsWith('file ')).length === 200, 30)
    expect(line).toBeGreaterThan(10)
  } finally {
    clearInterval(writing)
    rewrite()
    closeSync(busy)
  }
  await until(
    'the last of it',
    () => existsSync(desktop.path('busy')) && readFileSync(desktop.path('busy'), 'utf8') === `${line}\n`.repeat(5000),
    30,
  )
  await expectSame(laptop, desktop)
  expect(pathsOf(desktop.folder).length).toBe(201)
})
