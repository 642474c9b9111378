import { expect, test } from 'vitest'
import { workerUrl } from './worker-url.ts'

test.each([
  ['./disk-worker', 'file:///srv/src/agent/disk/pool.ts', 'file:///srv/src/agent/disk/disk-worker.ts'],
  ['./disk-worker', 'file:///srv/dist/agent/disk/pool.js', 'file:///srv/dist/agent/disk/disk-worker.js'],
  ['../follow/worker', 'file:///srv/a%20b/dist/projections/state/x.js', 'file:///srv/a%20b/dist/projections/follow/worker.js'],
] as const)('%s called from %s is %s', (name, caller, expected) => {
  expect(workerUrl(name, caller).href).toBe(expected)
})

test('a caller gets the module beside itself', () => {
  expect(workerUrl('./worker-url', import.meta.url).href).toBe(new URL('./worker-url.ts', import.meta.url).href)
})
