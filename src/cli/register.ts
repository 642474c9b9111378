import { hostname } from 'node:os'
import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../compose/failure.ts'
import { conclude } from './outcome.ts'
import { print, printJson } from './output.ts'
import { PASSWORD_OPTION, readPassword, type PasswordOptions } from './password.ts'
import { example, type Command, type Globals } from './program.ts'
import { deviceSettings } from './settings.ts'

interface Options extends PasswordOptions, Globals {
  readonly server: string
  readonly name: string
  readonly insecure?: boolean
  readonly json?: boolean
}

/** `eventsync register`: enrols this device with an account. */
export const register = (program: Command): void => {
  program
    .command('register')
    .description('enrol this device with an account: from then on it proves itself by a key of its own')
    .argument('<email>', "the account's email address")
    .requiredOption('--server <url>', 'the gateway: ws://HOST:PORT or wss://HOST:PORT; over RabbitMQ: amqps://HOST:PORT')
    .option('--name <name>', 'what this device is called', hostname())
    .option(...PASSWORD_OPTION)
    .option('--insecure', 'allow ws:// to another machine: the password and all contents can be read on the way')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      example('$ eventsync register you@example.org --server ws://127.0.0.1:4750 --name laptop', '$ eventsync agent ~/Sync'),
    )
    .action(async (email: string, _: Options, command: Command) => conclude(await enrolDevice(email, command.optsWithGlobals<Options>())))
}

const enrolDevice = async (email: string, options: Options): Promise<Outcome> => {
  const { account, serverUrl } = await import('../compose.ts')
  const server = serverUrl(options.server, options.insecure === true)
  if (E.isLeft(server)) return server
  const device = deviceSettings(options)
  if (E.isLeft(device)) return device
  const password = await readPassword(options, false)
  if (E.isLeft(password)) return password
  const { enrol } = await account()
  const as = { server: server.right, email, password: password.right, name: options.name, insecure: options.insecure === true }
  const made = await enrol(device.right.state, as)
  if (E.isLeft(made)) return made
  const { name, key, folder } = made.right
  if (options.json === true) printJson({ name, key, email, server: server.right, folder })
  else print(`This device is registered as "${name}" (${key}). Next: eventsync agent FOLDER`)
  return E.right(undefined)
}
