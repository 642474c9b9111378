import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../compose/failure.ts'
import { conclude } from './outcome.ts'
import { print } from './output.ts'
import { PASSWORD_OPTION, readPassword, type PasswordOptions } from './password.ts'
import { example, type Command } from './program.ts'

interface Options extends PasswordOptions {
  readonly server: string
  readonly insecure?: boolean
}

/** `eventsync user add`: makes an account. */
export const user = (program: Command): void => {
  program
    .command('user')
    .description('accounts')
    .command('add')
    .description('make an account at a gateway')
    .argument('<email>', "the account's email address")
    .requiredOption('--server <url>', 'the gateway: ws://HOST:PORT or wss://HOST:PORT; over RabbitMQ: amqps://HOST:PORT')
    .option(...PASSWORD_OPTION)
    .option('--insecure', 'allow ws:// to another machine: the password and all contents can be read on the way')
    .addHelpText('after', example('$ eventsync user add you@example.org --server ws://127.0.0.1:4750'))
    .action(async (email: string, options: Options) => conclude(await addUser(email, options)))
}

const addUser = async (email: string, options: Options): Promise<Outcome> => {
  const { account, serverUrl } = await import('../compose.ts')
  const server = serverUrl(options.server, options.insecure === true)
  if (E.isLeft(server)) return server
  const password = await readPassword(options, true)
  if (E.isLeft(password)) return password
  const made = await (await account()).signUp({ server: server.right, email, password: password.right })
  if (E.isLeft(made)) return made
  print(`Account ${email} is made. Next, on each device: eventsync register ${email} --server ${server.right}`)
  return E.right(undefined)
}
