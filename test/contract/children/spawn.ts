import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const script = (name: string): string => join(import.meta.dirname, `${name}.ts`)

/** A child that can be killed after it has reported something. */
export interface Child {
  readonly lines: AsyncIterable<string>
  /** kill -9, resolved when it has gone. */
  kill(): Promise<void>
}

export const start = (name: string, args: readonly string[]): Child => {
  const child: ChildProcess = spawn(process.execPath, [script(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(child, 'exit')
  if (child.stdout === null) throw new Error('the child has no stdout')
  return {
    lines: createInterface({ input: child.stdout }),
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

const linesOf = (command: string, args: readonly string[]): readonly string[] => {
  const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout.trimEnd().split('\n')
}

/** What a child reports that may write no file beyond `blocks` blocks of 512 bytes. */
export const runWithFileLimit = (blocks: number, name: string, args: readonly string[]): readonly string[] =>
  linesOf('sh', ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, script(name), ...args])

/** What a child reports with a disk of `size` bytes of its own mounted at `directory`, half of it taken by the file `filler`. */
export const runOnSmallDisk = (size: number, directory: string, name: string, args: readonly string[]): readonly string[] => {
  const mounted = `mount -t tmpfs -o size=${size} none "$0" && head -c ${size / 2} /dev/zero > "$0/filler" && exec "$@"`
  return linesOf('unshare', ['-rm', 'sh', '-c', mounted, directory, process.execPath, script(name), ...args])
}

/** Where the system lets nobody mount, the tests of a real full disk can't run. */
export const canMount = spawnSync('sh', ['-c', 'unshare -rm true']).status === 0
