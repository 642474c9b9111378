import { describe, expect, it } from 'vitest'
import { auditWorld, exporting, verifyingExport } from '../../../test/support/audit-world.ts'

describe('an export', () => {
  it('of a whole folder proves itself, with its contents', async () => {
    const { evidence, devices } = await auditWorld()
    const lines = await exporting(evidence(), devices[0]?.folder, { contents: true })
    const { faults, totals } = await verifyingExport(lines)
    expect(faults).toEqual([])
    expect(totals).toMatchObject({ whole: true, absent: 0 })
    expect(lines.join('')).not.toContain('verifier')
  })

  it.each([{ path: 'notes' }, { path: 'moved/b', contents: true }, { from: 6, to: 12 }, { path: 'e', from: 5 }])(
    'of a part of it (%j) proves each event without the rest',
    async (part) => {
      const { evidence, devices } = await auditWorld()
      const lines = await exporting(evidence(), devices[0]?.folder, part)
      const { faults, totals } = await verifyingExport(lines)
      expect(faults).toEqual([])
      expect(totals.whole).toBe(false)
      expect(lines.some((line) => line.includes('"Proof"'))).toBe(true)
    },
  )

  it('shows each bit that is another one', async () => {
    const { evidence, devices } = await auditWorld()
    const text = (await exporting(evidence(), devices[0]?.folder, { contents: true })).join('')
    const bytes = Buffer.from(text)
    for (let at = 5; at < bytes.length; at += 997) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 7))
      const lines = flipped.toString('utf8').split('\n').slice(0, -1)
      const { faults } = await verifyingExport(lines.map((line) => `${line}\n`))
      expect(faults.length, `bit ${at % 7} of byte ${at}`).toBeGreaterThan(0)
    }
  })

  it('shows that its end was cut off, or that a line is missing, doubled or moved', async () => {
    const { evidence, devices } = await auditWorld()
    const lines = await exporting(evidence(), devices[0]?.folder, {})
    const others = [lines.slice(0, -1), lines.toSpliced(8, 1), lines.toSpliced(8, 0, lines[8] ?? ''), [...lines, lines[4] ?? '']]
    const swapped = [...lines]
    ;[swapped[8], swapped[9]] = [lines[9] ?? '', lines[8] ?? '']
    for (const other of [...others, swapped]) expect((await verifyingExport(other)).faults.map(({ kind }) => kind)).toContain('file')
  })

  it('is compared with a checkpoint from elsewhere', async () => {
    const { evidence, devices } = await auditWorld()
    const stream = `folder-${devices[0]?.folder}`
    const event = evidence().events.find((each) => each.stream === stream && each.revision === 7)
    const lines = await exporting(evidence(), devices[0]?.folder, {})
    const claim = { stream, revision: 7, chain: event?.chain ?? '', kind: 'checkpoint', by: 'a page' } as const
    expect((await verifyingExport(lines, { claims: [claim] })).faults).toEqual([])
    expect((await verifyingExport(lines, { claims: [{ ...claim, chain: 'f'.repeat(64) }] })).faults).toMatchObject([{ kind: 'checkpoint' }])
  })
})
