import { parentPort, workerData } from 'node:worker_threads'
import { serveDisk } from '../../src/agent/disk/workers/serve.ts'
import { nodeFileSystem } from '../../src/filesystem/node.ts'
import type { FileStat } from '../../src/filesystem/port.ts'

/** A disk worker that ends itself when it looks at "exit", throws outside of its tasks at "throw", and has a bug at "bug". */
if (parentPort === null || typeof workerData !== 'string') throw new Error('a disk worker is started by workerDisk alone')
const fs = nodeFileSystem(workerData)

const lstat = (path: string): FileStat => {
  if (path === 'exit') process.exit(3)
  // Can't be sent, so that the worker throws where nobody catches.
  if (path === 'throw')
    return {
      ...fs.lstat(''),
      kind: 'file',
      get size() {
        return Symbol('unsendable') as never
      },
    }
  if (path === 'bug') throw new TypeError('a bug in a task')
  return fs.lstat(path)
}

serveDisk({ ...fs, lstat }, parentPort)
