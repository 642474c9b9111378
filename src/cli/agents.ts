import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../compose/failure.ts'
import { conclude } from './outcome.ts'
import { print, printJson, printTable } from './output.ts'
import { example, type Command, type Globals } from './program.ts'
import { deviceSettings } from './settings.ts'

interface Options extends Globals {
  readonly json?: boolean
  readonly reason?: string
}

/** `eventsync agents`: the devices of this device's account. */
export const agents = (program: Command): void => {
  const parent = program
    .command('agents')
    .description('the devices of this account: list, rename, revoke')
    .addHelpText('after', example('$ eventsync agents', '$ eventsync agents revoke --help'))
  parent
    .command('list', { isDefault: true })
    .description('list them')
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', example('$ eventsync agents', '$ eventsync agents list --json'))
    .action(async (_: Options, command: Command) => conclude(await list(command.optsWithGlobals<Options>())))
  parent
    .command('rename')
    .description('give one another name')
    .argument('<agent>', 'its name or its key')
    .argument('<name>', 'its new name')
    .addHelpText('after', example('$ eventsync agents rename old-laptop laptop'))
    .action(async (agent: string, name: string, _: Options, command: Command) =>
      conclude(await rename(agent, name, command.optsWithGlobals<Options>())),
    )
  parent
    .command('revoke')
    .description('shut one out, at once and for good (it keeps its files; its place can be taken by registering anew)')
    .argument('<agent>', 'its name or its key')
    .option('--reason <text>', 'kept in the log', 'revoked by hand')
    .addHelpText('after', example('$ eventsync agents revoke lost-phone --reason "left in a train"'))
    .action(async (agent: string, _: Options, command: Command) => conclude(await revoke(agent, command.optsWithGlobals<Options>())))
}

const opened = async (options: Options) => {
  const account = await (await import('../compose.ts')).account()
  return { account, device: E.Monad.chain(deviceSettings(options), ({ state }) => account.openDevice(state)) }
}

const list = async (options: Options): Promise<Outcome> => {
  const { account, device } = await opened(options)
  if (E.isLeft(device)) return device
  const found = await account.agentsOf(device.right)
  if (E.isLeft(found)) return found
  if (options.json === true) for (const agent of found.right) printJson(agent)
  else
    printTable([
      ['NAME', 'KEY', 'REGISTERED', ''],
      ...found.right.map((agent) => [agent.name, agent.key, agent.registered, remarkOn(agent)]),
    ])
  return E.right(undefined)
}

const remarkOn = ({ revoked, self }: { readonly revoked: boolean; readonly self: boolean }): string => {
  if (revoked) return 'revoked'
  return self ? 'this device' : ''
}

const rename = async (agent: string, name: string, options: Options): Promise<Outcome> => {
  const { account, device } = await opened(options)
  if (E.isLeft(device)) return device
  return E.map(({ key }: { readonly key: string }) => print(`${key} is called "${name}" now.`))(
    await account.renameAgent(device.right, agent, name),
  )
}

const revoke = async (agent: string, options: Options): Promise<Outcome> => {
  const { account, device } = await opened(options)
  if (E.isLeft(device)) return device
  const done = await account.revokeAgent(device.right, agent, options.reason ?? '')
  return E.map(({ key, name }: { readonly key: string; readonly name: string }) => print(`"${name}" (${key}) is revoked.`))(done)
}
