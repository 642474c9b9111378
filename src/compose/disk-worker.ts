import { parentPort, workerData } from 'node:worker_threads'
import { serveDisk } from '../agent/disk/workers/serve.ts'
import { nodeFileSystem } from '../filesystem/node.ts'

/** The entry of a disk worker: `workerData` is the root of the folder. */
if (parentPort === null || typeof workerData !== 'string') throw new Error('a disk worker is started by workerDisk alone')
serveDisk(nodeFileSystem(workerData), parentPort)
