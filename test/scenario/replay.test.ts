import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase } from '../../src/lib/sqlite.ts'
import { run } from '../support/processes.ts'
import { expectSame, World } from '../support/world.ts'

it('audit replay: the live projections equal those made anew, beside the running gateway; a row that was changed is named', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('d'))
  for (let count = 0; count < 20; count += 1) writeFileSync(laptop.path(`d/${count}`), `text ${count}`)
  await expectSame(laptop, desktop)
  renameSync(laptop.path('d/1'), laptop.path('moved'))
  rmSync(laptop.path('d/2'))
  await expectSame(laptop, desktop)
  const replay = (...options: string[]) => run(['audit', 'replay', ...options, '--json', '--data', world.data], world.profile.settings)
  const equal = await replay()
  expect(equal).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(equal.stdout)).toMatchObject({ ok: true, projections: { follow: { rows: { paths: 24 } } } })
  const to = join(world.root, 'as-it-was')
  // 0: the folder; 1: d; 2 to 21: its files; then the move and the deletion.
  const part = await replay('--until', '21', '--to', to)
  expect(part).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(part.stdout)).toMatchObject({
    ok: true,
    position: 21,
    materialised: { paths: 21, left: 0 },
    projections: { follow: { rows: { tree: 21 }, differences: [] } },
  })
  expect(readdirSync(to)).toEqual(['d'])
  expect(readFileSync(join(to, 'd/2'), 'utf8')).toBe('text 2')
  const steps = await replay('--step', '--until', '3')
  expect(steps.stdout.trim().split('\n')).toHaveLength(4)
  const noTerminal = await run(['audit', 'replay', '--step', '--data', world.data], world.profile.settings)
  expect(noTerminal).toMatchObject({ code: 2, stderr: expect.stringContaining('terminal') as string })
  expect(await world.gateway.stop()).toBe(0)
  const db = openDatabase(join(world.data, 'projections.db'), { synchronous: 'NORMAL' })
  db.exec("UPDATE paths SET live = 1 WHERE path = 'd/2'")
  db.close()
  const changed = await replay()
  expect(changed).toMatchObject({ code: 6 })
  const found = JSON.parse(changed.stdout) as { readonly projections: { readonly follow: { readonly differences: readonly object[] } } }
  expect(found.projections.follow.differences).toMatchObject([{ table: 'paths', live: expect.stringContaining('d/2') as string }])
  const folder = await replay('--to', join(world.root, 'again'))
  expect(folder).toMatchObject({ code: 6 })
  expect(JSON.parse(folder.stdout)).toMatchObject({ ok: false, position: 23, materialised: { paths: 20 } })
  expect(readdirSync(join(world.root, 'again', 'd'))).toHaveLength(18)
  expect(readdirSync(world.data).filter((name) => name.startsWith('replay-'))).toEqual([])
})
