import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { INFRA, read } from './compose-files.ts'

const settings = (unit: string): ReadonlyMap<string, string> =>
  new Map([...read(`systemd/${unit}`).matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))

test('the gateway runs as a user of its own, sees nothing but its data and the network, and has no rights', () => {
  const unit = settings('eventsync-gateway.service')
  const wanted = {
    DynamicUser: 'yes',
    ProtectSystem: 'strict',
    ProtectHome: 'yes',
    PrivateTmp: 'yes',
    NoNewPrivileges: 'yes',
    UMask: '0077',
  }
  for (const [name, value] of Object.entries({ ...wanted, CapabilityBoundingSet: '', StateDirectory: 'eventsync' }))
    expect([name, unit.get(name)]).toEqual([name, value])
})

test('the agent is not started again after what only a person can mend', () => {
  const unit = settings('eventsync-agent@.service')
  expect(unit.get('RestartPreventExitStatus')).toBe('2 5 6')
  expect(unit.get('ExecStart')).toBe('/opt/eventsync/bin/eventsync agent %f')
  // V8 makes code at run time.
  expect(unit.has('MemoryDenyWriteExecute')).toBe(false)
})

/** Units are checked as they are, apart from where EventSync is installed. */
test('systemd knows every setting of the gateway and takes its unit', () => {
  const place = mkdtempSync(join(tmpdir(), 'eventsync-units-'))
  try {
    const file = join(place, 'eventsync-gateway.service')
    cpSync(join(INFRA, 'systemd/eventsync-gateway.service'), file)
    writeFileSync(file, readFileSync(file, 'utf8').replace('/opt/eventsync/bin', join(INFRA, '../bin')))
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    // Where there is no systemd, there is nobody to ask.
    if (verified.error !== undefined) return
    expect(verified.stderr).toBe('')
    expect(verified.status).toBe(0)
  } finally {
    rmSync(place, { recursive: true })
  }
})
