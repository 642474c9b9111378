import { describe, expect, it } from 'vitest'
import { auditWorld, verifying } from '../../../test/support/audit-world.ts'

describe('the verification of a whole log', () => {
  it('finds nothing wrong with what a gateway has written', async () => {
    const { evidence, world } = await auditWorld()
    const { faults, totals } = await verifying(evidence())
    expect(faults).toEqual([])
    expect(world.faults).toEqual([])
    expect(totals).toMatchObject({ events: world.storage.all.length, unjudged: [], passwords: 0, released: 0 })
    expect(totals.signatures).toBeGreaterThan(10)
  })
})
