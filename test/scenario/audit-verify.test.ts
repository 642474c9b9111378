import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { run } from '../support/processes.ts'
import { until } from '../support/wait.ts'
import { World } from '../support/world.ts'

const VERIFY_PY = join(import.meta.dirname, '../../examples/verify.py')
const python = (...args: readonly string[]) => spawnSync('/usr/bin/python3', [VERIFY_PY, ...args], { encoding: 'utf8' })

describe('the auditor who trusts nobody', () => {
  it('keeps a checkpoint, verifies log, contents and an export with two programs, and sees what was altered', async () => {
    await using world = await World.create()
    const [laptop, desktop] = await world.pair()
    mkdirSync(laptop.path('contracts'))
    writeFileSync(laptop.path('contracts', 'lease.pdf'), 'three years')
    writeFileSync(laptop.path('notes.txt'), 'one')
    writeFileSync(laptop.path('large.bin'), 'x'.repeat(3_000_000))
    await until('the desktop to have all', async () => desktop.tree.length === 4 && (await desktop.status()).inSync)
    writeFileSync(desktop.path('notes.txt'), 'two')
    await until('the laptop to have the edit', async () => readFileSync(laptop.path('notes.txt'), 'utf8') === 'two')
    const audit = (...args: readonly string[]) => run(['audit', ...args], world.profile.settings)
    const data = ['--data', world.data]

    const page = join(world.root, 'checkpoint.json')
    const checkpoint = await audit('checkpoint', ...data)
    expect(checkpoint).toMatchObject({ code: 0 })
    writeFileSync(page, checkpoint.stdout)
    const verified = await audit('verify', ...data, '--contents', '--checkpoint', page, '--resume', join(world.root, 'resume.json'))
    expect(verified).toMatchObject({ code: 0 })
    expect(verified.stdout).toContain('nothing is wrong')
    expect(await audit('verify', ...data, '--contents', '--resume', join(world.root, 'resume.json'))).toMatchObject({ code: 0 })

    const seen = join(world.root, 'laptop.json')
    const witness = await audit('witness', laptop.folder, '--state', laptop.state)
    expect(witness).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(seen, witness.stdout)
    expect(JSON.parse(witness.stdout)).toMatchObject({ Position: 5, Receipt: { Index: 0 } })
    expect(await audit('verify', ...data, '--checkpoint', page, '--checkpoint', seen)).toMatchObject({ code: 0 })

    const own = ['--state', laptop.state]
    const through = await audit('verify', ...own, '--checkpoint', page, '--checkpoint', seen)
    expect(through).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing is wrong') as string })
    const asked = await audit('checkpoint', ...own)
    expect(JSON.parse(asked.stdout)).toMatchObject({
      Position: 5,
      GatewayKey: (JSON.parse(checkpoint.stdout) as { GatewayKey: string }).GatewayKey,
    })

    const lease = join(world.root, 'lease.jsonl')
    expect(await audit('export', ...data, '--path', 'contracts/lease.pdf', '--contents', lease)).toMatchObject({ code: 0 })
    expect(
      readFileSync(lease, 'utf8')
        .split('\n')
        .filter((line) => line.includes('"Kind":"Chunk"')),
    ).toHaveLength(1)
    expect(await audit('verify', lease, '--checkpoint', page)).toMatchObject({ code: 0 })
    expect(python(lease)).toMatchObject({ status: 0 })

    // Only here is the log a file, which the other program reads and somebody can alter.
    if (!existsSync(join(world.data, 'log.db'))) return
    expect(python('--checkpoint', page, '--checkpoint', seen, world.data)).toMatchObject({ status: 0 })
    await world.gateway.stop()
    using db = openDatabase(join(world.data, 'log.db'), { synchronous: 'OFF' })
    db.exec(`UPDATE events SET data = replace(data, 'notes.txt', 'notes.txu') WHERE type = 'FileUpdated'`)
    const found = await audit('verify', ...data, '--json')
    expect(found.code).toBe(6)
    const lines = found.stdout.trim().split('\n')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ fault: 'chain' })
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ ok: false, faults: { chain: 1 } })
    expect(python(world.data)).toMatchObject({ status: 6 })
  })
})
