import * as E from 'fp-ts/lib/Either.js'
import { fromConfig, type Outcome } from '../compose/failure.ts'
import { gatewayConfig, type Flags } from '../config.ts'
import { conclude } from './outcome.ts'
import { example, type Command, type Globals } from './program.ts'
import { settingsOf } from './settings.ts'
import { aborted, stopSignal } from './stop.ts'

const HELP = `
Settings by environment (or by --config FILE, under the names in docs/operations.md):
  EVENTSYNC_REGISTRATION=open|closed        who may make accounts (default: open on a loopback address, closed elsewhere)
  EVENTSYNC_PASSWORD_CLIENTS=allow|refuse   PySync clients, which prove themselves by a password alone (default: refuse)

Ready when GET /readyz answers 200; /healthz and /metrics are on the same port. SIGTERM drains, then exits 0.`

/** `eventsync serve`: the gateway. */
export const serve = (program: Command): void => {
  program
    .command('serve')
    .description("run the gateway: the event log, the contents, and the devices' connections")
    .option('--data <dir>', 'the directory that holds the log and the contents (made where it is missing)')
    .option('--listen <host:port>', 'where to listen (default 127.0.0.1:4750)')
    .option('--tls-cert <file>', 'certificate chain in PEM form: serve wss:// and https://')
    .option('--tls-key <file>', 'its private key')
    .option('--log-level <level>', 'debug, info, warn, error or silent (default info)')
    .addHelpText('after', example('$ eventsync serve --data /var/lib/eventsync', '$ curl http://127.0.0.1:4750/readyz') + `\n${HELP}`)
    .action(async (_: unknown, command: Command) => conclude(await run(command.optsWithGlobals<Flags & Globals>())))
}

const run = async (options: Flags & Globals): Promise<Outcome> => {
  const config = E.Monad.chain(settingsOf(options), (settings) => fromConfig(gatewayConfig(settings)))
  if (E.isLeft(config)) return config
  const stop = stopSignal()
  const { startGateway } = await (await import('../compose.ts')).gateway()
  const started = await startGateway(config.right)
  if (E.isLeft(started)) return started
  await using gateway = started.right
  const outcome = await Promise.race([aborted(stop).then(() => E.right(undefined)), gateway.failed])
  gateway.log.info('draining')
  return outcome
}
