import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pathsOf } from '../support/tree.ts'
import { PySyncClient, md5 } from '../support/pysync-client.ts'
import { World } from '../support/world.ts'

const KEY = '6C19A781148814833ED25840B7A07BA7'
const USER = 'usuario01@pysync.com'

test("a client written from PySync's documents alone works, beside an agent", async () => {
  await using world = await World.create({ EVENTSYNC_PASSWORD_CLIENTS: 'allow' })
  using client = await PySyncClient.connect(world.webSocketUrl, KEY, USER, 'senha')
  expect(await client.request('RegisterUser')).toMatchObject({ Action: 'ServerResponse', Status: 200 })
  expect(await client.request('RegisterAgent')).toMatchObject({ Status: 200 })
  const laptop = await world.device('laptop', { email: USER, password: md5('senha') })
  await laptop.start()

  const content = randomBytes(3_000_000)
  expect(await client.send('Create', { OriginalName: 'Arquivo01.txt' }, content)).toMatchObject({ Status: 200 })
  expect(await client.send('Create', { OriginalName: 'vazio.txt' }, Buffer.alloc(0))).toMatchObject({ Status: 200 })
  await laptop.settle()
  expect(pathsOf(laptop.folder)).toEqual(['Arquivo01.txt', 'vazio.txt'])
  expect(readFileSync(laptop.path('Arquivo01.txt')).equals(content)).toBe(true)

  writeFileSync(laptop.path('from the agent'), 'hello')
  await laptop.settle()
  const synced = await client.request('Sync')
  expect(synced.Status).toBe(200)
  expect(synced.Changes?.Created.map(({ OriginalName }) => OriginalName).toSorted()).toEqual([
    'Arquivo01.txt',
    'from the agent',
    'vazio.txt',
  ])
  const { answer, bytes } = await client.open('from the agent')
  expect(answer).toMatchObject({ Status: 200, File: { Size: '5' } })
  expect(bytes.toString()).toBe('hello')

  const name = synced.Changes?.Created.find(({ OriginalName }) => OriginalName === 'Arquivo01.txt')?.Name ?? 'Arquivo01.txt'
  expect(await client.send('Update', { Name: name }, Buffer.from('novo'))).toMatchObject({ Status: 200 })
  expect(await client.request('Delete', { File: 'vazio.txt' })).toMatchObject({ Status: 200 })
  expect(await client.request('Delete', { File: 'vazio.txt' })).toMatchObject({ Status: 404 })
  await laptop.settle()
  expect(pathsOf(laptop.folder)).toEqual(['Arquivo01.txt', 'from the agent'])
  expect(readFileSync(laptop.path('Arquivo01.txt'), 'utf8')).toBe('novo')
})

test('what is not of the form, or not allowed, is refused with a reason', async () => {
  await using world = await World.create({ EVENTSYNC_PASSWORD_CLIENTS: 'allow' })
  using client = await PySyncClient.connect(world.webSocketUrl, KEY, USER, 'senha')
  await client.request('RegisterUser')
  await client.request('RegisterAgent')
  expect(await client.request('Dance')).toMatchObject({ Status: 400 })
  for (const OriginalName of ['../x', '/etc/x', 'a\0b', '.eventsync/marker', '']) {
    expect(await client.request('Create', { File: { OriginalName, Size: '1' } })).toMatchObject({ Status: 400 })
  }
  expect(await client.request('Open', { File: { Name: 'nothing' } })).toMatchObject({ Status: 404 })
  using stranger = await PySyncClient.connect(world.webSocketUrl, KEY, USER, 'errada')
  expect(await stranger.request('Sync')).toMatchObject({ Status: 403 })
})

test('such clients are refused unless the operator allows them', async () => {
  await using world = await World.create()
  using client = await PySyncClient.connect(world.webSocketUrl, KEY, USER, 'senha')
  await client.request('RegisterUser')
  expect(await client.request('RegisterAgent')).toMatchObject({ Status: 403 })
  expect(await client.request('Sync')).toMatchObject({ Status: 403 })
})
