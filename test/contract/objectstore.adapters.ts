import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFilesystemStore } from '../../src/blobstore/object-store/filesystem.ts'
import { createMemoryStore } from '../../src/blobstore/object-store/memory.ts'
import type { ObjectStore, StoreError } from '../../src/blobstore/port.ts'
import { serverFor } from '../support/servers/server.ts'
import { s3Fixture } from './objectstore-s3.ts'
import { right } from './support.ts'

/** One empty store, however often it is opened. */
export interface StoreFixture extends AsyncDisposable {
  open(): Promise<ObjectStore>
  /** Changes one bit of what is stored, behind the store's back. */
  flip(name: string, bit: number): Promise<void>
  /** Cuts off the end of what is stored, behind the store's back. */
  cut(name: string, size: number): Promise<void>
  /** From now on no put of any handle finds its server or disk. */
  break(): Promise<void>
}

export interface StoreAdapter {
  readonly create: () => Promise<StoreFixture>
}

const flipBit = (bytes: Buffer, bit: number): Buffer => {
  const at = bit >> 3
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at)
  return bytes
}

const filesystem = async (): Promise<StoreFixture> => {
  const directory = await mkdtemp(join(tmpdir(), 'objects-'))
  const root = join(directory, 'made', 'at', 'open')
  return {
    open: async () => right(await openFilesystemStore(root)()),
    flip: async (name, bit) => writeFile(join(root, name), flipBit(await readFile(join(root, name)), bit)),
    cut: (name, size) => truncate(join(root, name), size),
    break: () => rm(join(root, '.tmp'), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}

const memory = async (): Promise<StoreFixture> => {
  let fault: StoreError | undefined
  const store = createMemoryStore({ fault: (operation) => (operation === 'put' ? fault : undefined) })
  const found = (name: string): Buffer => store.objects.get(name) ?? Buffer.alloc(0)
  return {
    open: async () => store,
    flip: async (name, bit) => void store.objects.set(name, flipBit(found(name), bit)),
    cut: async (name, size) => void store.objects.set(name, found(name).subarray(0, size)),
    break: async () => {
      fault = { tag: 'Unavailable', reason: 'injected' }
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

const s3Server = await serverFor('s3')

/** Every adapter of the port; `EVENTSYNC_TEST_OBJECTSTORE` picks some. S3 is left out where no server is to be had, which is then said. */
export const STORE_ADAPTERS: Readonly<Record<string, StoreAdapter>> = {
  filesystem: { create: filesystem },
  memory: { create: memory },
  ...(s3Server === undefined ? {} : { s3: { create: () => s3Fixture(s3Server) } }),
}
