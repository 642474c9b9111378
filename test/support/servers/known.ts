import { startCeph } from './ceph.ts'
import { startRabbit } from './rabbitmq.ts'

/** A server that a run of the tests has started. */
export interface TestServer {
  readonly url: string
  stop(): Promise<void>
}

/** A server that suites need, and what to say where it is not there. */
export interface KnownServer {
  /** Names a server that is there already; nothing is started then. */
  readonly variable: string
  /** The programs that have to be installed for one to be started. */
  readonly programs: readonly string[]
  readonly install: string
  start(directory: string): Promise<TestServer>
}

export const KNOWN_SERVERS = {
  s3: {
    variable: 'EVENTSYNC_TEST_S3_URL',
    programs: ['radosgw', 'ceph-mon', 'ceph-osd', 'curl'],
    install: 'apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd curl',
    start: startCeph,
  },
  rabbitmq: {
    variable: 'EVENTSYNC_TEST_AMQP_URL',
    programs: ['rabbitmqctl'],
    install: 'apt-get install -y --no-install-recommends rabbitmq-server',
    start: startRabbit,
  },
} satisfies Record<string, KnownServer>

export type ServerName = keyof typeof KNOWN_SERVERS
