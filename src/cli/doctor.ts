import * as E from 'fp-ts/lib/Either.js'
import type { Check } from '../compose/doctor.ts'
import { fromConfig, type Outcome } from '../compose/failure.ts'
import { gatewayConfig, type Flags } from '../config.ts'
import { conclude, EXIT_CODE } from './outcome.ts'
import { print, printable, printJson } from './output.ts'
import { example, type Command, type Globals } from './program.ts'
import { settingsOf } from './settings.ts'

interface Options extends Globals {
  readonly json?: boolean
}

/** `eventsync doctor`: is everything there that a gateway needs? */
export const doctor = (program: Command): void => {
  program
    .command('doctor')
    .description(
      'look at everything that a gateway with these settings needs: its directory, log, store and broker; exits 0 if it can work',
    )
    .option('--data <dir>', 'the directory of the gateway')
    .option('--listen <host:port>', 'where the gateway listens (default 127.0.0.1:4750)')
    .option('--tls-cert <file>', 'its certificate chain')
    .option('--tls-key <file>', 'the private key of that')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      example('$ eventsync doctor --data /var/lib/eventsync', '$ docker compose exec gateway /opt/eventsync/bin/eventsync doctor'),
    )
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Options & Flags>())))
}

const run = async (options: Options & Flags): Promise<Outcome> => {
  const config = E.Monad.chain(settingsOf(options), (settings) => fromConfig(gatewayConfig(settings)))
  if (E.isLeft(config)) return config
  const { examine } = await (await import('../compose.ts')).doctor()
  const checks: Check[] = []
  for await (const check of examine(config.right)) {
    checks.push(check)
    if (options.json !== true) for (const line of linesOf(check)) print(line)
  }
  const worst = Math.max(0, ...checks.map(({ kind }) => (kind === undefined ? 0 : EXIT_CODE[kind])))
  if (options.json === true)
    printJson({ ok: worst === 0, checks: checks.map(({ part, what, state, found, todo }) => ({ part, what, state, found, todo })) })
  process.exitCode = worst
  return E.right(undefined)
}

const linesOf = ({ part, what, state, found, todo }: Check): readonly string[] => [
  printable(`${state.padEnd(7)}  ${part}: ${what}: ${found}`),
  ...(todo === '' ? [] : [printable(`         -> ${todo}`)]),
]
