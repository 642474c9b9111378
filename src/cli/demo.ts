import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { fail, type Outcome } from '../compose/failure.ts'
import { startChild, type Child } from './demo/child.ts'
import { choosePort, DEVICES, EMAIL, openPlace, writeWelcome, type DeviceName, type Place } from './demo/place.ts'
import { introduce, parseReport, suggest, tell } from './demo/words.ts'
import { conclude } from './outcome.ts'
import { print } from './output.ts'
import { example, type Command } from './program.ts'
import { aborted, stopSignal } from './stop.ts'

interface Options {
  readonly directory: string
}

/** `eventsync demo`: a first look. */
export const demo = (program: Command): void => {
  program
    .command('demo')
    .description('a first look: a gateway and two devices on this machine, with nothing to set up')
    .option('--directory <dir>', 'where it keeps its two folders', 'eventsync-demo')
    .addHelpText('after', example('$ eventsync demo', '$ echo hello > eventsync-demo/laptop/hello.txt     # in another terminal'))
    .action(async (options: Options) => conclude(await run(options)))
}

const run = async ({ directory }: Options): Promise<Outcome> => {
  const stop = stopSignal()
  const place = openPlace(directory)
  const port = await choosePort(place)
  introduce(place, port)
  const children: Child[] = []
  const outcome = await play(place, port, children, stop)
  if (stop.aborted) print('\nStopping.')
  // The agents first, so that what they have begun reaches the gateway.
  for (const child of children.toReversed()) await child.stop()
  return outcome
}

const play = async (place: Place, port: number, children: Child[], stop: AbortSignal): Promise<Outcome> => {
  const said: string[] = []
  const gateway = startChild(['serve', '--data', place.data, '--listen', `127.0.0.1:${port}`, '--log-level', 'warn'], (line) =>
    said.push(line),
  )
  children.push(gateway)
  const ready = await untilReady(port, gateway, stop)
  if (!ready)
    return stop.aborted ? E.right(undefined) : fail('failed', `the demo's gateway did not start: ${said.at(-1) ?? 'it said nothing'}`)
  const registered = await registerDevices(place, `ws://127.0.0.1:${port}`)
  if (E.isLeft(registered)) return registered
  if (place.fresh) writeWelcome(place)
  const settled = new Map<DeviceName, boolean>()
  const agents = DEVICES.map((device) =>
    startAgent(place, device, port, (line) => {
      tell(device, line)
      if (parseReport(line)?.tag !== 'inSync' || settled.get(device) === true) return
      settled.set(device, true)
      if (settled.size === DEVICES.length) suggest(place)
    }),
  )
  children.push(...agents)
  const early = Promise.race([
    gateway.ended.then((how) => `the gateway (${how})`),
    ...agents.map((agent, i) => agent.ended.then((how) => `the ${DEVICES[i] ?? ''}'s agent (${how})`)),
  ])
  return Promise.race([
    aborted(stop).then(() => E.right(undefined)),
    early.then((who) => (stop.aborted ? E.right(undefined) : fail('failed', `${who} ended by itself; the demo stops`))),
  ])
}

const startAgent = (place: Place, device: DeviceName, port: number, onLine: (line: string) => void): Child =>
  startChild(['agent', place.folder(device), '--state', place.state(device), '--server', `ws://127.0.0.1:${port}`, '--json'], onLine)

const READY_EVERY_MS = 50

/** False: the gateway ended, or the demo is to stop. */
const untilReady = async (port: number, gateway: Child, stop: AbortSignal): Promise<boolean> => {
  const ended = new AbortController()
  void gateway.ended.then(() => ended.abort())
  const over = AbortSignal.any([stop, ended.signal])
  while (!over.aborted) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: over }).catch(() => undefined)
    if (answer?.ok === true) return true
    await pause(READY_EVERY_MS)
  }
  return false
}

/** Makes the account and enrols both devices, as far as an earlier start has not. */
const registerDevices = async (place: Place, server: string): Promise<Outcome> => {
  const { signUp, enrol } = await (await import('../compose.ts')).account()
  const as = { server, email: EMAIL, password: place.password }
  const waiting = DEVICES.filter((device) => !existsSync(join(place.state(device), 'device.json')))
  // The account may be there from a start that was cut short; then registering tells whether it is ours.
  if (waiting.length === DEVICES.length) await signUp(as)
  for (const device of waiting) {
    const enrolled = await enrol(place.state(device), { ...as, name: device, insecure: false })
    if (E.isLeft(enrolled)) return enrolled
  }
  return E.right(undefined)
}
