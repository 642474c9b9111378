import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectSame, World } from '../support/world.ts'

const git = (directory: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'core.hooksPath=/dev/null', ...args], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null', GIT_EDITOR: 'true' },
  })

/** A repository with some history, to clone from. */
const makeOrigin = (directory: string): void => {
  mkdirSync(directory)
  git(directory, 'init', '-q', '-b', 'main')
  for (let commit = 0; commit < 5; commit += 1) {
    for (let i = 0; i < 30; i += 1) writeFileSync(join(directory, `file-${i}`), `version ${commit} of ${i}\n`.repeat(20))
    git(directory, 'add', '-A')
    git(directory, 'commit', '-qm', `commit ${commit}`)
  }
}

test('git in a synced folder: clone, commits, checkouts and a rebase leave a sound repository on the other side', async () => {
  await using world = await World.create()
  const [laptop, desktop] = await world.pair()
  const origin = join(world.root, 'origin')
  makeOrigin(origin)
  git(laptop.path(), 'clone', '-q', origin, 'repo')
  const repo = laptop.path('repo')
  for (let i = 0; i < 10; i += 1) {
    git(repo, 'checkout', '-q', '-B', `branch-${i % 3}`, i % 2 === 0 ? 'main' : 'HEAD')
    writeFileSync(join(repo, `new-${i}`), `work ${i}`)
    git(repo, 'add', '-A')
    git(repo, 'commit', '-qm', `work ${i}`)
  }
  git(repo, 'checkout', '-q', 'main')
  writeFileSync(join(repo, 'on-main'), 'main moves')
  git(repo, 'add', '-A')
  git(repo, 'commit', '-qm', 'main moves')
  git(repo, 'checkout', '-q', 'branch-0')
  git(repo, 'rebase', '-q', 'main')
  await expectSame(laptop, desktop)
  const there = desktop.path('repo')
  expect(git(there, 'fsck', '--full')).toBe('')
  // The index holds this machine's inodes: git looks again where they differ.
  git(there, 'update-index', '-q', '--refresh')
  expect(git(there, 'status', '--porcelain')).toBe('')
  expect(git(there, 'log', '--oneline', '--all')).toBe(git(repo, 'log', '--oneline', '--all'))
})
