import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ODD_NAMES, writeTree } from '../support/files.ts'
import { filesIn, pathsOf } from '../support/tree.ts'
import { expectSame, World } from '../support/world.ts'

test('a first sync goes both ways, and a third device gets everything later', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  writeTree(laptop.path(), 300)
  writeFileSync(desktop.path('from the desktop'), 'hello')
  for (const device of [laptop, desktop]) await device.start()
  await expectSame(laptop, desktop)
  expect(pathsOf(laptop.folder)).toContain('from the desktop')

  const phone = await world.device('phone')
  await phone.start()
  await expectSame(laptop, desktop, phone)
  expect((await world.countEvents()).get('FileCreated file')).toBe(filesIn(phone.folder))
})

test('whatever name one device holds comes to the other', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  mkdirSync(laptop.path('sub'))
  for (const name of ODD_NAMES) {
    writeFileSync(laptop.path(name), name)
    writeFileSync(laptop.path('sub', name), `in sub: ${name}`)
  }
  await expectSame(laptop, desktop)
  for (const name of ODD_NAMES) expect(pathsOf(desktop.folder)).toContain(name)
})

test('a name that is not UTF-8 is reported and left alone, and all else goes on', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  writeFileSync(Buffer.concat([Buffer.from(`${laptop.path()}/bad`), Buffer.from([0xff, 0xfe])]), 'x')
  writeFileSync(laptop.path('good'), 'x')
  await laptop.settle()
  await desktop.settle()
  expect(pathsOf(desktop.folder)).toEqual(['good'])
  expect((await laptop.status()).problems).toHaveLength(1)
})

test('what is on both devices already is neither sent twice nor a conflict', async () => {
  await using world = await World.create()
  const laptop = await world.device('laptop')
  const desktop = await world.device('desktop')
  for (const device of [laptop, desktop]) for (let i = 0; i < 30; i += 1) writeFileSync(device.path(`same-${i}`), `the same content ${i}`)
  for (const device of [laptop, desktop]) await device.start()
  await expectSame(laptop, desktop)
  expect((await laptop.status()).conflicts).toEqual([])
  expect(pathsOf(laptop.folder)).toHaveLength(30)
  expect((await world.countEvents()).get('FileCreated file')).toBe(30)
})

test('files, folders and links change into each other', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  writeFileSync(laptop.path('a'), 'a file')
  mkdirSync(laptop.path('b', 'inside'), { recursive: true })
  writeFileSync(laptop.path('b', 'inside', 'file'), 'x')
  symlinkSync('a', laptop.path('c'))
  await expectSame(laptop, desktop)
  rmSync(laptop.path('a'))
  mkdirSync(laptop.path('a', 'deep'), { recursive: true })
  writeFileSync(laptop.path('a', 'deep', 'file'), 'a folder now')
  rmSync(laptop.path('b'), { recursive: true })
  writeFileSync(laptop.path('b'), 'a file now')
  rmSync(laptop.path('c'))
  writeFileSync(laptop.path('c'), 'no link any more')
  chmodSync(laptop.path('c'), 0o755)
  await expectSame(laptop, desktop)
  expect(pathsOf(desktop.folder)).toEqual(['a', 'a/deep', 'a/deep/file', 'b', 'c'])
})
