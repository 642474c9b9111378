import * as E from 'fp-ts/lib/Either.js'
import type { StoredObjects } from '../../blobstore/port.ts'
import type { Content, Manifest } from '../../domain/content.ts'
import { sha256 } from '../../protocol/hash.ts'
import { chunksMatch, decodeManifest } from '../../protocol/manifest.ts'
import type { Contents } from './contents.ts'
import type { At, Report } from './fault.ts'

type ObjectManifest = Extract<Manifest, { tag: 'object' }>

/** Manifests that are read at once: each may weigh 4 MiB. */
const MAX_READS = 8

/** Reads the chunk lists of large contents beside the log, and takes what they name for named. */
export class ManifestReads {
  readonly #objects: StoredObjects | undefined
  readonly #contents: Contents
  readonly #report: Report
  readonly #reading = new Set<Promise<void>>()

  constructor(objects: StoredObjects | undefined, contents: Contents, report: Report) {
    this.#objects = objects
    this.#contents = contents
    this.#report = report
  }

  get full(): boolean {
    return this.#reading.size >= MAX_READS
  }

  async settled(): Promise<void> {
    await Promise.all(this.#reading)
  }

  take(content: Content, manifest: ObjectManifest, at: At & { readonly path: string }): void {
    const reading = this.#read(content, manifest, at).finally(() => this.#reading.delete(reading))
    this.#reading.add(reading)
  }

  async #read(content: Content, { hash }: ObjectManifest, at: At & { readonly path: string }): Promise<void> {
    const bytes = await this.#objects?.chunk(hash, this.#contents.place(hash))()
    // What is not there is told with all other chunks, once all objects have been looked at.
    if (bytes === undefined || E.isLeft(bytes)) return
    if (sha256(bytes.right) !== hash)
      return this.#report({ kind: 'manifest', ...at, reason: 'the stored list of its chunks has another hash' })
    const chunks = decodeManifest(bytes.right)
    if (E.isLeft(chunks) || !chunksMatch(content, chunks.right))
      return this.#report({ kind: 'manifest', ...at, reason: 'the list of its chunks does not make its content' })
    for (const chunk of chunks.right)
      if (!this.#contents.name(chunk, at.stream, at.revision))
        this.#report({ kind: 'size', ...at, reason: `the chunk ${chunk.hash} has another size` })
  }
}
