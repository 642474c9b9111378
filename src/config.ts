import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { AMQP_FORM, amqpAddress, MANAGEMENT_FORM, managementAddress, usualManagement, type RabbitAddress } from './lib/amqp-address.ts'
import { S3_FORM, s3Address, type S3Address } from './lib/s3-address.ts'
import { MAX_FILE_SIZE } from './domain/content.ts'
import { parseEventStoreAddress, type EventStoreAddress } from './lib/eventstore-address.ts'
import { isLoopback } from './lib/loopback.ts'

/** One setting that can't be used: where it was said, and what is wrong with it (never its value where that is secret). */
export interface ConfigError {
  readonly setting: string
  readonly reason: string
}

/** Where a setting may be said. A flag wins over the environment, the environment over the configuration file (whose names are this table's). */
const SETTINGS = {
  data: { flag: '--data', env: 'EVENTSYNC_DATA' },
  listen: { flag: '--listen', env: 'EVENTSYNC_LISTEN' },
  tlsCert: { flag: '--tls-cert', env: 'EVENTSYNC_TLS_CERT' },
  tlsKey: { flag: '--tls-key', env: 'EVENTSYNC_TLS_KEY' },
  logLevel: { flag: '--log-level', env: 'EVENTSYNC_LOG_LEVEL' },
  passwordClients: { env: 'EVENTSYNC_PASSWORD_CLIENTS' },
  registration: { env: 'EVENTSYNC_REGISTRATION' },
  // These hold secrets: never a flag, and each may come from a file (…_FILE).
  logUrl: { env: 'EVENTSYNC_LOG_URL', secret: true },
  storeUrl: { env: 'EVENTSYNC_STORE_URL', secret: true },
  amqpUrl: { env: 'EVENTSYNC_AMQP_URL', secret: true },
  amqpManagementUrl: { env: 'EVENTSYNC_AMQP_MANAGEMENT_URL', secret: true },
  amqpAuthListen: { env: 'EVENTSYNC_AMQP_AUTH_LISTEN' },
  amqpShards: { env: 'EVENTSYNC_AMQP_SHARDS' },
  state: { flag: '--state', env: 'EVENTSYNC_STATE' },
  scanSeconds: { env: 'EVENTSYNC_SCAN_SECONDS' },
  maxFileSize: { env: 'EVENTSYNC_MAX_FILE_SIZE' },
} as const satisfies Record<string, { readonly flag?: string; readonly env: string; readonly secret?: boolean }>

export type SettingName = keyof typeof SETTINGS

/** What was said, and where. */
interface Said {
  readonly text: string
  readonly where: string
}

/** All settings as they were said, gathered once; what they mean is for {@link gatewayConfig} and {@link deviceConfig}. */
export type Settings = ReadonlyMap<SettingName, Said>

export type Flags = Readonly<Partial<Record<SettingName, string | undefined>>>
export type Environment = Readonly<Record<string, string | undefined>>

export const gather = (flags: Flags, env: Environment, configFile: string | undefined): E.Either<readonly ConfigError[], Settings> => {
  const file = configFile === undefined ? E.right({}) : readConfigFile(configFile)
  if (E.isLeft(file)) return file
  const errors: ConfigError[] = []
  const settings = new Map<SettingName, Said>()
  for (const name of settingNames) {
    const said = lookUp(name, flags, env, file.right, configFile ?? '')
    if (E.isLeft(said)) errors.push(said.left)
    else if (said.right !== undefined) settings.set(name, said.right)
  }
  return errors.length > 0 ? E.left(errors) : E.right(settings)
}

// The keys of a constant object are its names.
const settingNames = Object.keys(SETTINGS) as SettingName[]

const lookUp = (
  name: SettingName,
  flags: Flags,
  env: Environment,
  file: Readonly<Record<string, string>>,
  fileName: string,
): E.Either<ConfigError, Said | undefined> => {
  const { env: variable, ...setting } = SETTINGS[name]
  const flag = flags[name]
  if (flag !== undefined && 'flag' in setting) return E.right({ text: flag, where: setting.flag })
  const value = env[variable]
  if (value !== undefined && value !== '') return E.right({ text: value, where: variable })
  const secretFile = 'secret' in setting ? env[`${variable}_FILE`] : undefined
  if (secretFile !== undefined && secretFile !== '') return readSecret(secretFile, `${variable}_FILE`)
  const inFile = file[name]
  return E.right(inFile === undefined ? undefined : { text: inFile, where: `"${name}" in ${fileName}` })
}

const readSecret = (file: string, variable: string): E.Either<ConfigError, Said> =>
  E.tryCatch(
    () => ({ text: readFileSync(file, 'utf8').trim(), where: variable }),
    () => ({ setting: variable, reason: `the file ${file} cannot be read` }),
  )

const readConfigFile = (file: string): E.Either<readonly ConfigError[], Readonly<Record<string, string>>> => {
  const wrong = (reason: string): E.Either<readonly ConfigError[], never> => E.left([{ setting: file, reason }])
  const parsed = E.tryCatch(
    (): unknown => JSON.parse(readFileSync(file, 'utf8')),
    // V8's own message quotes the text, which may hold secrets.
    (error) => (error instanceof SyntaxError ? 'is not JSON' : `cannot be read (${error instanceof Error ? error.message : ''})`),
  )
  if (E.isLeft(parsed)) return wrong(parsed.left)
  if (typeof parsed.right !== 'object' || parsed.right === null || Array.isArray(parsed.right)) return wrong('must hold one JSON object')
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(parsed.right)) {
    if (!(name in SETTINGS)) return wrong(`"${name}" is no setting; there are: ${settingNames.join(', ')}`)
    if (typeof value !== 'string' && typeof value !== 'number') return wrong(`"${name}" must be a text or a number`)
    values[name] = String(value)
  }
  return E.right(values)
}

/** The gateway's configuration: one member of a union for each provider of a port. */
export interface GatewayConfig {
  readonly data: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  readonly log: { readonly tag: 'sqlite' } | EventStoreAddress
  readonly store: { readonly tag: 'folder' } | S3Address
  readonly queue:
    | { readonly tag: 'none' }
    | (RabbitAddress & {
        readonly managementUrl: string
        /** Where the broker asks about its users. */
        readonly authListen: GatewayConfig['listen']
        readonly shards: number
      })
  readonly passwordClients: boolean
  readonly openRegistration: boolean
  readonly logLevel: LogLevel
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Collects what is wrong, so that all of it is said at once. */
class Reader {
  readonly errors: ConfigError[] = []
  readonly #settings: Settings
  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** The setting read by `parse` (undefined: wrong, `expected` says what it must be), or its default. */
  read<A>(name: SettingName, expected: string, parse: (text: string) => A | undefined, otherwise: A): A {
    const said = this.#settings.get(name)
    if (said === undefined) return otherwise
    const value = parse(said.text)
    if (value === undefined) this.errors.push({ setting: said.where, reason: expected })
    return value ?? otherwise
  }

  /** The same where `parse` says itself what is wrong. */
  choose<A>(name: SettingName, parse: (text: string) => E.Either<string, A>, otherwise: A): A {
    const said = this.#settings.get(name)
    if (said === undefined || said.text === '') return otherwise
    const value = parse(said.text)
    if (E.isLeft(value)) this.errors.push({ setting: said.where, reason: value.left })
    return E.isLeft(value) ? otherwise : value.right
  }

  finish<A>(config: A): E.Either<readonly ConfigError[], A> {
    return this.errors.length > 0 ? E.left(this.errors) : E.right(config)
  }
}

const text = (value: string): string | undefined => (value === '' ? undefined : value)

const oneOf =
  <A extends string>(values: readonly A[]) =>
  (value: string): A | undefined =>
    values.find((each) => each === value)

const positive = (value: string): number | undefined => (/^[1-9]\d{0,15}$/.test(value) ? Number(value) : undefined)

/** `HOST:PORT`, `[::1]:PORT` or `PORT` alone (then on 127.0.0.1). */
const address = (value: string): GatewayConfig['listen'] | undefined => {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(value)
  const port = Number(match?.[3])
  return match !== null && port <= 65_535 ? { host: match[1] ?? match[2] ?? '127.0.0.1', port } : undefined
}

export const gatewayConfig = (settings: Settings): E.Either<readonly ConfigError[], GatewayConfig> => {
  const from = new Reader(settings)
  const data = from.read('data', 'must name a directory', text, '')
  if (data === '' && from.errors.length === 0)
    from.errors.push({ setting: '--data', reason: 'is needed: the directory that holds the log and the contents' })
  const listen = from.read('listen', 'must be HOST:PORT', address, { host: '127.0.0.1', port: 4750 })
  const certFile = from.read('tlsCert', 'must name a PEM file', text, undefined)
  const keyFile = from.read('tlsKey', 'must name a PEM file', text, undefined)
  if ((certFile === undefined) !== (keyFile === undefined))
    from.errors.push({ setting: '--tls-cert and --tls-key', reason: 'must be given together' })
  const broker = queue(from)
  return from.finish({
    data,
    listen,
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    log: from.choose<GatewayConfig['log']>('logUrl', parseEventStoreAddress, { tag: 'sqlite' }),
    store: from.read<GatewayConfig['store']>('storeUrl', `must be of the form ${S3_FORM}`, s3Address, { tag: 'folder' }),
    queue: broker,
    passwordClients: from.read('passwordClients', 'must be allow or refuse', oneOf(['allow', 'refuse']), 'refuse') === 'allow',
    openRegistration:
      from.read('registration', 'must be open or closed', oneOf(['open', 'closed']), isLocal(listen, broker) ? 'open' : 'closed') ===
      'open',
    logLevel: from.read('logLevel', `must be one of ${LOG_LEVELS.join(', ')}`, oneOf(LOG_LEVELS), 'info'),
  })
}

const MAX_SHARDS = 1024
const shards = (value: string): number | undefined => {
  const count = positive(value)
  return count !== undefined && count <= MAX_SHARDS ? count : undefined
}

/** What a command needs that speaks to the broker as the gateways do. */
export type BrokerConfig = RabbitAddress & { readonly shards: number }

export const brokerConfig = (settings: Settings): E.Either<readonly ConfigError[], BrokerConfig> => {
  const from = new Reader(settings)
  const broker = queue(from)
  if (broker.tag === 'rabbitmq') return from.finish(broker)
  const needed = { setting: 'EVENTSYNC_AMQP_URL', reason: "is needed: the broker's address, the same that the gateways have" }
  return E.left(from.errors.length > 0 ? from.errors : [needed])
}

const queue = (from: Reader): GatewayConfig['queue'] => {
  const broker = from.read<RabbitAddress | undefined>('amqpUrl', `must be of the form ${AMQP_FORM}`, amqpAddress, undefined)
  const given = from.read('amqpManagementUrl', `must be of the form ${MANAGEMENT_FORM}`, managementAddress, undefined)
  const authListen = from.read('amqpAuthListen', 'must be HOST:PORT', address, { host: '127.0.0.1', port: 4751 })
  const count = from.read('amqpShards', `must be a number from 1 to ${MAX_SHARDS}`, shards, 8)
  if (broker === undefined) return { tag: 'none' }
  return { ...broker, managementUrl: given ?? usualManagement(broker.url), authListen, shards: count }
}

/** Nobody but this machine reaches it, on either way. */
const isLocal = (listen: GatewayConfig['listen'], broker: GatewayConfig['queue']): boolean =>
  isLoopback(listen.host) && (broker.tag === 'none' || isLoopback(new URL(broker.url).hostname))

/** A device's configuration. */
export interface DeviceConfig {
  readonly state: string
  readonly scanEverySeconds: number
  readonly maxFileSize: number
}

export const deviceConfig = (settings: Settings, env: Environment): E.Either<readonly ConfigError[], DeviceConfig> => {
  const from = new Reader(settings)
  const base = env['XDG_STATE_HOME']
  return from.finish({
    state: from.read(
      'state',
      'must name a directory',
      text,
      join(base === undefined || base === '' ? join(homedir(), '.local', 'state') : base, 'eventsync'),
    ),
    scanEverySeconds: from.read('scanSeconds', 'must be a number of seconds', positive, 600),
    maxFileSize: from.read('maxFileSize', 'must be a number of bytes', positive, MAX_FILE_SIZE),
  })
}
