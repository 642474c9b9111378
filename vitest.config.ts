import { defineConfig } from 'vitest/config'

const SECOND = 1000

/** A test waits for a condition with its own deadline; these limits only end what hangs. */
const project = (name: string, include: string[], timeout: number) => ({
  extends: true as const,
  test: { name, include, testTimeout: timeout, hookTimeout: timeout, provide: { profile: 'embedded' as const } },
})

/** Not for every profile: packaging and the demo are of the embedded one; the others bring servers of their own, and say which. */
const OF_ONE_PROFILE = [
  'demo',
  'package',
  'dead-letters',
  'doctor',
  'rabbitmq',
  'rabbitmq-gateways',
  'eventstoredb',
  'two-gateways',
  'tls',
  'lazy',
]

/** The same scenarios over RabbitMQ, EventStoreDB and S3 (test/support/profiles). */
const distributed = {
  extends: true as const,
  test: {
    ...project('distributed', ['test/scenario/**/*.test.ts'], 240 * SECOND).test,
    exclude: OF_ONE_PROFILE.map((name) => `test/scenario/${name}.test.ts`),
    setupFiles: ['test/support/profiles/distributed.setup.ts'],
    provide: { profile: 'distributed' as const },
  },
}

export default defineConfig({
  test: {
    pool: 'forks',
    // Most tests wait for processes: more of them than cores.
    maxWorkers: 3,
    // Loading the modules again for each file took a third of the CPU of a unit test; no module keeps state of its own.
    isolate: false,
    passWithNoTests: false,
    allowOnly: false,
    globalSetup: ['test/support/servers/global-setup.ts'],
    projects: [
      project('unit', ['src/**/*.test.ts', 'lint/**/*.test.ts'], 30 * SECOND),
      project('contract', ['test/contract/**/*.test.ts'], 30 * SECOND),
      project('infra', ['test/infra/**/*.test.ts'], 60 * SECOND),
      project('scenario', ['test/scenario/**/*.test.ts'], 180 * SECOND),
      distributed,
      project('fault', ['test/fault/**/*.test.ts'], 180 * SECOND),
      project('model', ['test/model/**/*.test.ts'], 300 * SECOND),
    ],
  },
})
