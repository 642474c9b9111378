import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './verify/fault.ts'

const textOf = (name: string): string => readFileSync(join(import.meta.dirname, '../..', name), 'utf8')

const types = [...textOf('src/domain/events.ts').matchAll(/readonly type: '(\w+)'/g)].map((match) => match[1] ?? '')

describe('the audit format', () => {
  it('is written down for every type of event, and the verifier in Python knows each', () => {
    expect(types.length).toBeGreaterThan(15)
    for (const name of ['docs/audit-format.md', 'examples/verify.py']) for (const type of types) expect(textOf(name), name).toContain(type)
  })

  it('names every kind of fault', () => {
    for (const kind of Object.keys(FAULT_KINDS)) expect(textOf('docs/audit-format.md')).toContain(`\`${kind}\``)
  })
})
