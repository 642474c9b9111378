import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const repository = join(import.meta.dirname, '../..')
const elsewhere = mkdtempSync(join(tmpdir(), 'eventsync-package-'))
const installed = join(elsewhere, 'node_modules/eventsync')

const run = (command: string, args: readonly string[], cwd: string): string => execFileSync(command, args, { cwd, encoding: 'utf8' })

/** What `npm install eventsync-0.1.0.tgz` leaves, with the dependencies taken from here instead of from a registry. */
beforeAll(() => {
  run('npm', ['pack', '--pack-destination', elsewhere], repository)
  mkdirSync(installed, { recursive: true })
  const tarball = readdirSync(elsewhere).find((name) => name.endsWith('.tgz')) ?? 'none'
  run('tar', ['xzf', tarball, '--strip-components=1', '-C', installed], elsewhere)
  for (const name of readdirSync(join(repository, 'node_modules')).filter((entry) => !entry.startsWith('.'))) {
    symlinkSync(join(repository, 'node_modules', name), join(elsewhere, 'node_modules', name))
  }
})

afterAll(() => {
  rmSync(elsewhere, { recursive: true })
})

test('the package holds compiled code, and neither sources nor tests', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' })
  expect(files).toContain('dist/cli/main.js')
  expect(files.filter((file) => /\.ts$|\.test\.|^(src|test|bench)\b/.test(file))).toEqual([])
})

test('the installed command runs', () => {
  expect(run(join(installed, 'bin/eventsync'), ['--help'], elsewhere)).toContain('Usage: eventsync')
})
