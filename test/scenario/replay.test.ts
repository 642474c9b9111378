import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
  const replay = () => run(['audit', 'replay', '--json', '--data', world.data], world.profile.settings)
  const equal = await replay()
  expect(equal).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(equal.stdout)).toMatchObject({ ok: true, projections: { follow: { rows: { paths: 24 } } } })
  expect(await world.gateway.stop()).toBe(0)
  const db = openDatabase(join(world.data, 'projections.db'), { synchronous: 'NORMAL' })
  db.exec("UPDATE paths SET live = 1 WHERE path = 'd/2'")
  db.close()
  const changed = await replay()
  expect(changed).toMatchObject({ code: 6 })
  const found = JSON.parse(changed.stdout) as { readonly projections: { readonly follow: { readonly differences: readonly object[] } } }
  expect(found.projections.follow.differences).toMatchObject([{ table: 'paths', live: expect.stringContaining('d/2') as string }])
  expect(readdirSync(world.data).filter((name) => name.startsWith('replay-'))).toEqual([])
})
