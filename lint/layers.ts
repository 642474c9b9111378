/**
 * Who may import whom (docs/design.md, "Layout"), as data. `oxlint.config.ts` turns each row into a `no-restricted-imports` rule,
 * and `layers.test.ts` shows that each of them bites.
 */
export type Layer = {
  readonly files: readonly string[]
  readonly except?: readonly string[]
  /** Other folders (or top-level modules) of `src` that these files may import. A file's own folder is always allowed. */
  readonly may: readonly string[]
  /** Folders of which these files may import `port.ts`, and nothing else. */
  readonly ports?: readonly string[]
  /** Folders of which these files may import types, but nothing that runs. */
  readonly types?: readonly string[]
  /** Node's own modules: all of them, or these alone. */
  readonly node: 'all' | readonly string[]
}

const PORTS = ['eventlog', 'blobstore', 'transport', 'filesystem']
const INNER_PORTS = ['disk', 'watch']
const CORE = ['domain', 'protocol', 'lib']

/** Everything directly under `src`, and the folders inside `agent` that hold a port with its adapters. */
export const FOLDERS: readonly string[] = [...CORE, ...PORTS, 'agent', 'gateway', 'projections', 'audit', 'cli', 'config', 'compose']

/** Each vendor package is imported in exactly one file. (fp-ts is the language here, not a vendor.) */
export const VENDORS: Readonly<Record<string, string>> = {
  '@eventstore/db-client': 'src/eventlog/eventstoredb/client.ts',
  amqplib: 'src/transport/rabbitmq/amqp.ts',
  chokidar: 'src/agent/watch/chokidar.ts',
  commander: 'src/cli/program.ts',
  ignore: 'src/agent/ignore-rules.ts',
  minio: 'src/blobstore/object-store/s3-client.ts',
  pino: 'src/lib/log.ts',
  'pino-pretty': 'src/lib/log.ts',
  'prom-client': 'src/gateway/metrics.ts',
  ws: 'src/transport/websocket/socket.ts',
}

/** These open databases (the second one as a lock), and nobody else does. Types of `node:sqlite` are free. */
export const SQLITE_FILES: readonly string[] = ['src/lib/sqlite.ts', 'src/lib/file-lock.ts']

const adapters = (folder: string): Layer => ({
  files: [`src/${folder}/**`],
  except: [`src/${folder}/port.ts`],
  may: CORE,
  node: 'all',
})

/** The core's users: they know ports, never an adapter, and never each other. */
const user = (folder: string): Layer => ({ files: [`src/${folder}/**`], may: CORE, ports: PORTS, node: 'all' })

export const LAYERS: Readonly<Record<string, Layer>> = {
  domain: { files: ['src/domain/**'], may: [], node: [] },
  protocol: { files: ['src/protocol/**'], may: ['domain'], node: ['crypto'] },
  lib: { files: ['src/lib/**'], may: [], node: 'all' },
  ports: { files: PORTS.map((folder) => `src/${folder}/port.ts`), may: ['domain'], types: ['protocol'], node: [] },
  eventlog: adapters('eventlog'),
  blobstore: adapters('blobstore'),
  transport: adapters('transport'),
  filesystem: adapters('filesystem'),
  agent: {
    files: ['src/agent/**'],
    except: INNER_PORTS.map((folder) => `src/agent/${folder}/**`),
    may: CORE,
    ports: [...PORTS, ...INNER_PORTS],
    node: 'all',
  },
  agentAdapters: {
    files: INNER_PORTS.map((folder) => `src/agent/${folder}/**`),
    except: INNER_PORTS.map((folder) => `src/agent/${folder}/port.ts`),
    may: CORE,
    ports: PORTS,
    node: 'all',
  },
  agentPorts: { files: INNER_PORTS.map((folder) => `src/agent/${folder}/port.ts`), may: ['domain'], types: ['protocol'], node: [] },
  // What the gateway asks of the projections is a port too: their tables are theirs.
  gateway: { ...user('gateway'), ports: [...PORTS, 'projections'] },
  projections: user('projections'),
  audit: { ...user('audit'), ports: [...PORTS, 'projections'] },
  config: { files: ['src/config.ts', 'src/config/**'], may: ['domain', 'lib'], node: 'all' },
  compose: { files: ['src/compose.ts', 'src/compose/**'], may: FOLDERS.filter((folder) => folder !== 'cli'), node: 'all' },
  cli: { files: ['src/cli/**'], may: ['compose', 'config'], node: 'all' },
}
