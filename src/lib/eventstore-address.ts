import * as E from 'fp-ts/lib/Either.js'

export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** What a connection string says. It holds a password: never print it. */
export interface EventStoreAddress {
  readonly tag: 'eventstoredb'
  /** One server; several that may be asked for the cluster's members; or a name that stands for them. */
  readonly servers:
    | { readonly tag: 'one' | 'discover'; readonly endpoint: Endpoint }
    | { readonly tag: 'several'; readonly endpoints: readonly Endpoint[] }
  /** Undefined only without TLS: such a server asks for none. */
  readonly user: { readonly username: string; readonly password: string } | undefined
  readonly tls: boolean
  /** The authority that signed the server's certificate, where the system does not know it. */
  readonly caFile: string | undefined
  /** Put before every stream's name, so that several logs can share a server; '' where this log has it for itself. */
  readonly streamPrefix: string
  readonly connectionName: string | undefined
  readonly keepAliveInterval: number | undefined
  readonly keepAliveTimeout: number | undefined
}

const SCHEME = /^(?:esdb|kurrentdb|kurrent|kdb)(\+discover)?:\/\//
const FORM = 'must look like esdb://USER:PASSWORD@HOST:2113?tls=true'
const DEFAULT_PORT = 2113

/** Options of the vendor's connection strings that change nothing here: this log keeps deadlines and discovery itself. */
const IGNORED: ReadonlySet<string> = new Set([
  'throwonappendfailure',
  'defaultdeadline',
  'maxdiscoverattempts',
  'discoveryinterval',
  'gossiptimeout',
  'nodepreference',
])

type Options = Readonly<Record<string, string>>
type Wrong = E.Either<string, never>

const wrong = (reason: string): Wrong => E.left(reason)

/**
 * Reads a usual connection string (`esdb://`, `esdb+discover://`, and KurrentDB's names for them). A left says in words what is
 * wrong, and quotes nothing of it: it may hold a password.
 */
export const parseEventStoreAddress = (text: string): E.Either<string, EventStoreAddress> => {
  const scheme = SCHEME.exec(text.trim())
  if (scheme === null) return wrong(FORM)
  const [authority = '', query = ''] = text.trim().slice(scheme[0].length).split('?', 2)
  const at = authority.lastIndexOf('@')
  const user = at < 0 ? E.right(undefined) : parseUser(authority.slice(0, at))
  if (E.isLeft(user)) return user
  const endpoints = parseEndpoints(authority.slice(at + 1).replace(/\/+$/, ''))
  if (E.isLeft(endpoints)) return endpoints
  const options = parseOptions(query)
  if (E.isLeft(options)) return options
  return assemble(scheme[1] !== undefined, endpoints.right, user.right, options.right)
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const parseUser = (text: string): E.Either<string, EventStoreAddress['user']> => {
  const colon = text.indexOf(':')
  const username = decoded(text.slice(0, Math.max(0, colon)))
  const password = decoded(text.slice(colon + 1))
  if (colon < 1 || username === undefined || password === undefined)
    return wrong('must have USER:PASSWORD before the @, both percent-encoded')
  return E.right({ username, password })
}

const parseEndpoints = (text: string): E.Either<string, readonly Endpoint[]> => {
  const endpoints: Endpoint[] = []
  for (const host of text.split(',')) {
    const match = /^([^\s:/]+)(?::(\d{1,5}))?$/.exec(host.trim())
    const port = Number(match?.[2] ?? DEFAULT_PORT)
    if (match?.[1] === undefined || port < 1 || port > 65_535) return wrong('must name its servers as HOST:PORT, separated by commas')
    endpoints.push({ address: match[1], port })
  }
  return E.right(endpoints)
}

const parseOptions = (query: string): E.Either<string, Options> => {
  const options: Record<string, string> = {}
  for (const pair of query.split('&').filter((each) => each !== '')) {
    const [key = '', value = ''] = pair.split('=', 2)
    const text = decoded(value)
    if (text === undefined || value === '') return wrong('has an option without a value, or with one that is not percent-encoded')
    options[key.trim().toLowerCase().replaceAll(/[_-]/g, '')] = text
  }
  return E.right(options)
}

const KNOWN: ReadonlySet<string> = new Set([
  'tls',
  'tlsverifycert',
  'tlscafile',
  'streamprefix',
  'connectionname',
  'keepaliveinterval',
  'keepalivetimeout',
  ...IGNORED,
])

const wrongOption = (options: Options): string | undefined => {
  const unknown = Object.keys(options).find((key) => !KNOWN.has(key))
  // A key may be part of a password whose special characters were not encoded.
  if (unknown !== undefined) return `has an option that is not known; there are: ${[...KNOWN].join(', ')}`
  if (!['true', 'false', undefined].includes(options['tls'])) return 'has an option tls that is neither true nor false'
  if (options['tlsverifycert'] === 'false') return 'cannot switch off the check of certificates: name their authority with tlsCAFile'
  if (options['streamprefix']?.startsWith('$') === true)
    return 'has a streamPrefix that starts with "$": such streams are the server\'s own'
  for (const key of ['keepaliveinterval', 'keepalivetimeout'])
    if (!/^(?:-1|[1-9]\d{0,8})$/.test(options[key] ?? '1'))
      return 'has a keepAliveInterval or keepAliveTimeout that is no number of milliseconds'
  return undefined
}

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

const assemble = (
  discover: boolean,
  endpoints: readonly Endpoint[],
  user: EventStoreAddress['user'],
  options: Options,
): E.Either<string, EventStoreAddress> => {
  const reason = wrongOption(options)
  if (reason !== undefined) return wrong(reason)
  const tls = options['tls'] !== 'false'
  if (tls && user === undefined) return wrong('must name a user (esdb://USER:PASSWORD@…), or say tls=false for a server without users')
  const [endpoint] = endpoints
  if (endpoint === undefined) return wrong(FORM)
  if (discover && endpoints.length > 1) return wrong('must name one host alone where members are discovered by its name')
  return E.right({
    tag: 'eventstoredb',
    servers: endpoints.length > 1 ? { tag: 'several', endpoints } : { tag: discover ? 'discover' : 'one', endpoint },
    user,
    tls,
    caFile: options['tlscafile'],
    streamPrefix: options['streamprefix'] ?? '',
    connectionName: options['connectionname'],
    keepAliveInterval: numberOf(options['keepaliveinterval']),
    keepAliveTimeout: numberOf(options['keepalivetimeout']),
  })
}
