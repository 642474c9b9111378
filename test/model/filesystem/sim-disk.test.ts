import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodeFileSystem } from '../../../src/filesystem/node.ts'
import { call, Runner } from './operations.ts'
import { SimDisk, type DiskObserver, type DiskTraits } from './sim-disk.ts'

const NOBODY: DiskObserver = { names: () => {}, bytes: () => {}, attributes: () => {}, looked: () => {}, inexact: () => {} }
const TRAITS: DiskTraits = { folding: 'exact', clockTickNs: 1n, storedTickNs: 1n, reusesInodes: true, hardLinks: true, readSize: 3 }

const clock = (): (() => bigint) => {
  let now = 1_700_000_000_000_000_000n
  return () => (now += 1_000_000n)
}

let home = ''
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'eventsync-model-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('the simulated file system answers every call as the real one does', () => {
  let run = 0
  fc.assert(
    fc.property(fc.array(call, { minLength: 5, maxLength: 40 }), (calls) => {
      const root = join(home, String(run++))
      mkdirSync(root)
      const real = new Runner(nodeFileSystem(root))
      const simulated = new Runner(new SimDisk(TRAITS, 7n, clock(), NOBODY))
      try {
        for (const each of calls) {
          expect([each, simulated.run(each)]).toEqual([each, real.run(each)])
          if ('to' in each) expect(simulated.sameInode(each.path, each.to)).toBe(real.sameInode(each.path, each.to))
        }
      } finally {
        real.closeAll()
        rmSync(root, { recursive: true })
      }
    }),
    { numRuns: 1500 },
  )
})
