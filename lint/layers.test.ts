import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

type Case = readonly [file: string, line: string]

const FORBIDDEN: readonly Case[] = [
  ['src/domain/a.ts', "import { encode } from '../protocol/json.ts'"],
  ['src/domain/plan/a.ts', "import { now } from '../../lib/clock.ts'"],
  ['src/domain/a.ts', "import { createHash } from 'node:crypto'"],
  ['src/domain/a.ts', "import { watch } from 'chokidar'"],
  ['src/protocol/a.ts', "import { readFileSync } from 'node:fs'"],
  ['src/protocol/a.ts', "import { now } from '../lib/clock.ts'"],
  ['src/lib/a.ts', "import { syncPath } from '../domain/path.ts'"],
  ['src/lib/a.ts', "import { DatabaseSync } from 'node:sqlite'"],
  ['src/eventlog/port.ts', "import { encode } from '../protocol/json.ts'"],
  ['src/eventlog/port.ts', "import { memoryLog } from './memory.ts'"],
  ['src/agent/disk/port.ts', "import type { FileSystem } from '../../filesystem/port.ts'"],
  ['src/eventlog/sqlite.ts', "import type { BlobStore } from '../blobstore/port.ts'"],
  ['src/eventlog/sqlite.ts', "import { backup } from 'node:sqlite'"],
  ['src/eventlog/a.ts', "import { WebSocket } from 'ws'"],
  ['src/agent/a.ts', "import { memoryLog } from '../eventlog/memory.ts'"],
  ['src/agent/a.ts', "export { memoryLog } from '../eventlog/memory.ts'"],
  ['src/agent/a.ts', "export const load = () => import('../eventlog/memory.ts')"],
  ['src/agent/engine/a.ts', "import { connect } from '../../transport/websocket/client.ts'"],
  ['src/agent/engine/a.ts', "import { watchFolder } from '../watch/chokidar.ts'"],
  ['src/agent/engine/a.ts', "import type { Writer } from '../../gateway/writer.ts'"],
  ['src/gateway/a.ts', "import { plan } from '../agent/plan.ts'"],
  ['src/gateway/a.ts', "import { sqliteLog } from '../eventlog/sqlite.ts'"],
  ['src/projections/a.ts', "import { sqliteLog } from '../eventlog/sqlite.ts'"],
  ['src/audit/a.ts', "import { writer } from '../gateway/writer.ts'"],
  ['src/cli/a.ts', "import { sqliteLog } from '../eventlog/sqlite.ts'"],
  ['src/cli/a.ts', "import { runAgent } from '../agent/daemon.ts'"],
  ['src/compose.ts', "import { main } from './cli/main.ts'"],
  ['src/gateway/a.ts', "import { test } from 'vitest'"],
  ['src/gateway/a.ts', "import { either as E } from 'fp-ts'"],
]

const ALLOWED: readonly Case[] = [
  ['src/domain/a.ts', "import * as E from 'fp-ts/lib/Either.js'"],
  ['src/domain/plan/a.ts', "import { syncPath } from '../path.ts'"],
  ['src/protocol/a.ts', "import { createHash } from 'node:crypto'"],
  ['src/eventlog/port.ts', "import type { Json } from '../protocol/json.ts'"],
  ['src/eventlog/sqlite.ts', "import type { DatabaseSync } from 'node:sqlite'"],
  ['src/eventlog/sqlite.ts', "import type { EventLog } from './port.ts'"],
  ['src/agent/engine/a.ts', "import type { EventLog } from '../../eventlog/port.ts'"],
  ['src/agent/engine/a.ts', "import type { Disk } from '../disk/port.ts'"],
  ['src/agent/disk/a.ts', "import type { FileSystem } from '../../filesystem/port.ts'"],
  ['src/lib/sqlite.ts', "import { DatabaseSync } from 'node:sqlite'"],
  ['src/compose.ts', "export const load = () => import('./eventlog/sqlite.ts')"],
  ['src/cli/a.ts', "import { serve } from '../compose.ts'"],
  ['src/domain/a.test.ts', "import { test } from 'vitest'"],
]

type Diagnostic = {
  readonly code?: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

const repository = dirname(import.meta.dirname)
const folder = mkdtempSync(join(tmpdir(), 'eventsync-layers-'))
let reported: ReadonlySet<string> = new Set()

/** The files that the cases make: a line each. */
const sources = (cases: readonly Case[]): Map<string, string[]> => {
  const files = new Map<string, string[]>()
  for (const [file, line] of cases) files.set(file, [...(files.get(file) ?? []), line])
  return files
}

/** One run of the linter with the real configuration (types apart); gives `file: line` of each restricted import. */
const lint = (files: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> => {
  const config = JSON.stringify(join(repository, 'oxlint.config.ts'))
  writeFileSync(join(folder, 'oxlint.config.ts'), `import config from ${config}\nexport default { ...config, options: {} }\n`)
  for (const [file, lines] of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), lines.join('\n'))
  }
  const oxlint = join(repository, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [oxlint, '--format', 'json', 'src'], { cwd: folder, encoding: 'utf8' })
  // the form of the linter's own output; if it ever changes, every test below fails
  const { diagnostics } = JSON.parse(run.stdout) as { readonly diagnostics: readonly Diagnostic[] }
  const restricted = diagnostics.filter(({ code }) => code === 'eslint(no-restricted-imports)')
  return new Set(restricted.map(({ filename, labels }) => `${filename}: ${files.get(filename)?.[(labels[0]?.span.line ?? 0) - 1]}`))
}

beforeAll(() => {
  reported = lint(sources([...FORBIDDEN, ...ALLOWED]))
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe('the import layers', () => {
  test.each(FORBIDDEN)('%s may not hold: %s', (file, line) => {
    expect(reported).toContain(`${file}: ${line}`)
  })

  test.each(ALLOWED)('%s may hold: %s', (file, line) => {
    expect(reported).not.toContain(`${file}: ${line}`)
  })
})
