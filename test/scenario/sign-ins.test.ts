import { expect, inject, test } from 'vitest'
import { run } from '../support/processes.ts'
import { PySyncClient } from '../support/pysync-client.ts'
import { EMAIL, World } from '../support/world.ts'

const KEY = '6C19A781148814833ED25840B7A07BA7'

test('whoever guesses a password is in the log, counted, and the account sees it', async () => {
  await using world = await World.create({ EVENTSYNC_PASSWORD_CLIENTS: 'allow' })
  const laptop = await world.device('laptop')
  {
    using client = await PySyncClient.connect(world.webSocketUrl, KEY, EMAIL, 'a guess')
    for (let guess = 0; guess < 20; guess += 1) expect([403, 429]).toContain((await client.request('RegisterAgent')).Status)
  }
  using stranger = await PySyncClient.connect(world.webSocketUrl, KEY, 'nobody@example.org', 'a guess')
  await stranger.request('RegisterAgent')
  // What it has counted is told when it stops.
  expect(await world.gateway.stop()).toBe(0)
  await world.startGateway()

  const told = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(['audit', 'log', '--account-events', ...args], world.profile.settings)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout.split('\n').filter((line) => line !== '')
  }
  const objects = async (...args: string[]) => (await told(...args, '--json')).map((line) => JSON.parse(line) as Record<string, unknown>)
  const whole = await objects('--data', world.data)
  const refused = whole.filter(({ action }) => action === 'SignInsRefused')
  const isOfAccount = ({ stream }: Record<string, unknown>): boolean => String(stream).startsWith('account-')
  expect(refused.filter(isOfAccount)).toMatchObject([{ count: 20, addresses: ['127.0.0.1'], tried: [KEY] }])
  const strangers = refused.filter((event) => !isOfAccount(event))
  // A broker that several installations share asks each of them about everybody: there are other strangers then, at any time.
  if (inject('profile') === 'distributed') expect(strangers).not.toEqual([])
  else {
    const tried = [expect.stringMatching(/^[0-9a-f]{32}$/) as string]
    expect(strangers).toMatchObject([{ count: 1, addresses: ['127.0.0.1'], tried }])
  }
  expect(whole.filter(isOfAccount)).toMatchObject([
    { action: 'AccountRegistered', email: EMAIL },
    { action: 'AgentRegistered', name: 'laptop' },
    { action: 'SignInsRefused' },
  ])
  expect(JSON.stringify(whole)).not.toMatch(/verifier|nobody@/)
  const lines = await told('--data', world.data, '--action', 'SignInsRefused')
  expect(lines.find((line) => line.endsWith('as 6C19A781'))).toMatch(
    /gateway {9}SignInsRefused {5}20 \(.*password.*\) from 127\.0\.0\.1 as 6C19A781$/,
  )

  const own = await objects('--state', laptop.state, '--since', '1 hour ago')
  expect(own.map(({ action, count }) => [action, count])).toEqual([
    ['AgentRegistered', undefined],
    ['SignInsRefused', 20],
  ])
  expect(await run(['audit', 'verify', '--data', world.data], world.profile.settings)).toMatchObject({ code: 0 })
})
