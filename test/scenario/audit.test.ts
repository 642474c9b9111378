import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EMAIL, expectSame, World, type Device } from '../support/world.ts'
import { run } from '../support/processes.ts'

/** Lines of a command's output. */
const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')
const objects = (text: string): Record<string, unknown>[] => linesOf(text).map((line) => JSON.parse(line) as Record<string, unknown>)

const EVENTSYNC = join(import.meta.dirname, '..', '..', 'bin', 'eventsync')

let world: World
let laptop: Device
let desktop: Device
const audit = async (...args: string[]) => run(['audit', ...args, '--data', world.data], world.profile.settings)
const auditJson = async (...args: string[]) => {
  const { code, stdout, stderr } = await audit(...args, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return objects(stdout)
}

beforeAll(async () => {
  world = await World.create()
  ;[laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('docs'))
  writeFileSync(laptop.path('docs/plan.txt'), 'one\ntwo\n')
  writeFileSync(laptop.path('=cmd.txt'), 'formula')
  await expectSame(laptop, desktop)
  writeFileSync(desktop.path('docs/plan.txt'), 'one\nthree\n')
  await expectSame(laptop, desktop)
  renameSync(laptop.path('docs/plan.txt'), laptop.path('docs/final.txt'))
  await expectSame(laptop, desktop)
  rmSync(desktop.path('=cmd.txt'))
  await expectSame(laptop, desktop)
})
afterAll(() => world[Symbol.asyncDispose]())

describe('eventsync audit', () => {
  it('log: who did what when', async () => {
    const events = await auditJson('log')
    expect(events.map(({ position, action, agentName, from, path }) => [position, action, agentName, from, path])).toEqual([
      [0, 'FolderCreated', undefined, undefined, undefined],
      [1, 'FileCreated', 'laptop', undefined, 'docs'],
      [2, 'FileCreated', 'laptop', undefined, '=cmd.txt'],
      [3, 'FileCreated', 'laptop', undefined, 'docs/plan.txt'],
      [4, 'FileUpdated', 'desktop', undefined, 'docs/plan.txt'],
      [5, 'FileMoved', 'laptop', 'docs/plan.txt', 'docs/final.txt'],
      [6, 'FileDeleted', 'desktop', undefined, '=cmd.txt'],
    ])
    const { stdout } = await audit('log', '--agent', 'laptop', '--path', 'docs/*.txt')
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^ +3 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}laptop {10}created {4}docs\/plan\.txt \(8 B\)$/),
      expect.stringMatching(/^ +5 {2}.* {2}laptop {10}moved {6}docs\/plan\.txt -> docs\/final\.txt \(10 B\)$/),
    ])
  })

  it('log: restricted by action, account, position and time', async () => {
    const positions = async (...args: string[]) => (await auditJson('log', ...args)).map(({ position }) => position)
    expect(await positions('--action', 'moved,deleted')).toEqual([5, 6])
    expect(await positions('--action', 'FileUpdated', '--account', EMAIL)).toEqual([4])
    expect(await positions('--since', '2', '--until', '4')).toEqual([2, 3, 4])
    const [fifth] = await auditJson('log', '--since', '4', '--until', '4')
    expect(await positions('--since', String(fifth?.['time']))).toEqual([5, 6])
    expect(await positions('--until', '1 day ago')).toEqual([])
    expect(await positions('--since', '1 day ago')).toHaveLength(7)
  })

  it('log: as CSV that no spreadsheet runs', async () => {
    const { stdout } = await audit('log', '--csv', '--action', 'deleted')
    const [header, record] = stdout.split('\r\n')
    expect(header).toBe('position,time,action,path,from,kind,size,hash,agent,agentName,account,email,proof,detail')
    expect(record?.split(',').slice(0, 5)).toEqual(['6', expect.any(String), 'FileDeleted', "'=cmd.txt", ''])
  })

  it('log --follow: goes on with what comes, and ends at a signal', async () => {
    const following = world.daemon(['audit', 'log', '--follow', '--since', '6', '--json', '--data', world.data], world.profile.settings)
    await following.said(/FileDeleted/)
    writeFileSync(laptop.path('later.txt'), 'later')
    await following.said(/later\.txt/)
    expect(await following.stop()).toBe(0)
    rmSync(laptop.path('later.txt'))
    await expectSame(laptop, desktop)
  })

  it('tree and diff: the folder as it was, and what has changed since', async () => {
    const pathsAt = async (at: string) => (await auditJson('tree', '--at', at)).map(({ path, position }) => [path, position])
    expect(await pathsAt('4')).toEqual([
      ['=cmd.txt', 2],
      ['docs', 1],
      ['docs/plan.txt', 4],
    ])
    expect(await pathsAt('1 day ago')).toEqual([])
    expect(await pathsAt('6')).toEqual([
      ['docs', 1],
      ['docs/final.txt', 5],
    ])
    const { stdout } = await audit('diff', '--from', '4', '--to', '6')
    expect(linesOf(stdout)).toEqual([
      'removed  =cmd.txt (7 B)',
      'added    docs/final.txt (10 B; was docs/plan.txt)',
      'removed  docs/plan.txt (10 B; moved to docs/final.txt)',
    ])
    expect(await auditJson('diff', '--from', '3', '--to', '4')).toMatchObject([
      { path: 'docs/plan.txt', change: 'changed', before: { position: 3, size: 8 }, after: { position: 4, size: 10 } },
    ])
  })

  it('history: what happened to a file, across its names', async () => {
    for (const path of ['docs/plan.txt', 'docs/final.txt']) {
      const events = await auditJson('history', path)
      expect(events.map(({ position, action, agentName, size }) => [position, action, agentName, size])).toEqual([
        [3, 'FileCreated', 'laptop', 8],
        [4, 'FileUpdated', 'desktop', 10],
        [5, 'FileMoved', 'laptop', 10],
      ])
    }
    const { stdout } = await audit('history', '=cmd.txt')
    expect(linesOf(stdout)).toEqual([
      expect.stringMatching(/^ +2 {2}.* {2}laptop {10}created {4}[0-9a-f]{12} {2}=cmd\.txt \(7 B\)$/),
      expect.stringMatching(/^ +6 {2}.* {2}desktop {9}deleted {18}=cmd\.txt$/),
    ])
    expect(await audit('history', 'never.txt')).toMatchObject({ code: 1, stderr: expect.stringContaining('never held') as string })
  })

  it('cat: a file as it was, or why it was not there', async () => {
    expect(await audit('cat', 'docs/plan.txt@3')).toEqual({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
    expect(await audit('cat', 'docs/final.txt')).toEqual({ code: 0, stdout: 'one\nthree\n', stderr: '' })
    expect(await audit('cat', '=cmd.txt@5')).toMatchObject({ code: 0, stdout: 'formula' })
    expect(await audit('cat', '=cmd.txt')).toMatchObject({ code: 1, stderr: expect.stringContaining('deleted at position 6') as string })
    expect(await audit('cat', 'docs/plan.txt')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('moved to docs/final.txt') as string,
    })
    expect(await audit('cat', 'docs')).toMatchObject({ code: 2, stderr: expect.stringContaining('is a folder') as string })
    expect(await audit('cat', '../etc/passwd')).toMatchObject({ code: 2 })
  })

  it('diff of two versions: line by line, and of what is no text only that it differs', async () => {
    const { stdout } = await audit('diff', 'docs/plan.txt@3', 'docs/final.txt')
    expect(linesOf(stdout)).toEqual(['--- docs/plan.txt@3', '+++ docs/final.txt@5', '@@ -1,2 +1,2 @@', ' one', '-two', '+three'])
    expect(await audit('diff', 'docs/plan.txt@4', 'docs/final.txt')).toMatchObject({ code: 0, stdout: '' })
    writeFileSync(laptop.path('image'), Buffer.from([0, 1, 2]))
    await expectSame(laptop, desktop)
    expect((await audit('diff', '=cmd.txt@5', 'image')).stdout).toMatch(/^=cmd\.txt@2 \(7 B, .*\) and image@\d+ \(3 B, .*\) differ: /)
    rmSync(laptop.path('image'))
    await expectSame(laptop, desktop)
  })

  it('shows both versions of a conflict, and who made each', async () => {
    writeFileSync(laptop.path('both.txt'), 'base')
    await expectSame(laptop, desktop)
    for (const device of [laptop, desktop]) expect(await device.agent.stop()).toBe(0)
    for (const device of [laptop, desktop]) writeFileSync(device.path('both.txt'), `by ${device.name}`)
    await laptop.start()
    await laptop.settle()
    await desktop.start()
    await expectSame(laptop, desktop)
    const events = await auditJson('log', '--path', 'both*')
    expect(events.map(({ action, agentName, path }) => [action, agentName, path])).toEqual([
      ['FileCreated', 'laptop', 'both.txt'],
      ['FileUpdated', 'laptop', 'both.txt'],
      ['FileCreated', 'desktop', expect.stringMatching(/^both \(conflict desktop .*\)\.txt$/)],
    ])
    const copy = String(events.at(-1)?.['path'])
    expect(await audit('cat', copy)).toMatchObject({ code: 0, stdout: 'by desktop' })
  })

  it('ends quietly where nobody reads on', async () => {
    const line = `"$0" audit log --data "$1" | head -n 1`
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', line, EVENTSYNC, world.data], {
      env: { ...process.env, ...world.profile.settings },
    })
    expect([linesOf(stdout).length, stderr]).toEqual([1, ''])
  })

  it('says what is wrong with the words, and what to do', async () => {
    expect(await audit('log', '--agent', 'nobody')).toMatchObject({ code: 2, stderr: expect.stringContaining('nobody') as string })
    expect(await audit('log', '--since', 'soon')).toMatchObject({ code: 2, stderr: expect.stringContaining('3 days ago') as string })
    expect(await audit('log', '--folder', 'none')).toMatchObject({ code: 2, stderr: expect.stringContaining(`${EMAIL}:default`) as string })
    expect(await run(['audit', 'log', '--data', world.root])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--data') as string,
    })
  })

  it('works without the gateway, and fills an index that is not there', async () => {
    const before = await audit('log', '--json')
    await world.gateway.stop()
    expect((await audit('log', '--json')).stdout).toBe(before.stdout)
    rmSync(join(world.data, 'projections.db'))
    expect(await audit('log', '--json')).toEqual(before)
    await world.startGateway()
    expect((await audit('log', '--json')).stdout).toBe(before.stdout)
  })

  it('tells a device the same through its gateway, and nothing of another account', async () => {
    for (const words of [
      ['log', '--path', 'docs', '--action', 'moved,updated'],
      ['log', '--csv', '--until', '6'],
      ['history', 'docs/plan.txt'],
      ['tree', '--at', '4'],
      ['diff', '--from', '2', '--to', '6'],
      ['cat', 'docs/plan.txt@3'],
      ['diff', 'docs/plan.txt@3', 'docs/final.txt'],
    ])
      expect(await laptop.run('audit', ...words)).toEqual(await audit(...words))
    const email = 'eve@example.org'
    expect(await world.userAdd(email, 'another password')).toMatchObject({ code: 0 })
    const eve = await world.device('eve', { email, password: 'another password' })
    const { folder } = JSON.parse(readFileSync(join(laptop.state, 'device.json'), 'utf8')) as { folder: string }
    expect(await eve.run('audit', 'log', '--folder', folder)).toMatchObject({ code: 5, stdout: '' })
    expect((await eve.run('audit', 'log', '--json')).stdout).not.toContain('docs')
    expect(await audit('log')).toMatchObject({ code: 2, stderr: expect.stringContaining('more than one folder') as string })
    expect((await audit('log', '--folder', `${email}:default`)).stdout).not.toContain('docs')
  })

  it('says of what retention let go since when, with the same words on both sides', async () => {
    const settings = world.profile.settings
    expect(await run(['retention', '--data', world.data, '--keep', '0s', '--thorough'], settings)).toMatchObject({ code: 0 })
    const folder = ['--folder', `${EMAIL}:default`]
    const history = await audit('history', 'docs/plan.txt', ...folder)
    expect(linesOf(history.stdout).map((line) => line.includes('content released on 2'))).toEqual([true, false, false])
    expect(await laptop.run('audit', 'history', 'docs/plan.txt')).toEqual(history)
    const [first] = await auditJson('history', 'docs/plan.txt', ...folder)
    expect(first).toMatchObject({ position: 3, released: expect.stringMatching(/^2.*Z$/) as string })
    const gone = await audit('cat', 'docs/plan.txt@3', ...folder)
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('was released on') as string })
    expect(await laptop.run('audit', 'cat', 'docs/plan.txt@3')).toEqual(gone)
    const back = (...args: string[]) => ['audit', 'restore', 'docs', '--at', '3', '--to', join(world.root, ...args)]
    const left = await run([...back('here'), '--data', world.data, ...folder], settings)
    expect(left).toMatchObject({ code: 1, stdout: expect.stringContaining('content was released on') as string })
    expect(await laptop.run(...back('there'))).toEqual(left)
  })
})
