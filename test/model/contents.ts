import { DIRECTORY, idOf, type ContentId } from './content-id.ts'
import type { Inode } from './filesystem/inode.ts'

/** All contents that users made, on any device: every state that a file had after one of their calls, or that a power cut left of what they had not synced. */
export class Contents {
  readonly #shown = new Map<ContentId, string>()
  readonly #written = new Set<ContentId>([DIRECTORY])

  wrote(inode: Inode): ContentId {
    const id = this.name(inode)
    this.#written.add(id)
    return id
  }

  name(inode: Inode): ContentId {
    const id = idOf(inode)
    if (!this.#shown.has(id)) this.#shown.set(id, inode.kind === 'directory' ? 'folder' : `${inode.kind} ${shorten(inode.data)}`)
    return id
  }

  isWhole(id: ContentId): boolean {
    return this.#written.has(id)
  }

  show(id: ContentId): string {
    return this.#shown.get(id) ?? id
  }
}

const shorten = (data: Buffer): string => {
  const text = data.toString('utf8', 0, 40)
  return JSON.stringify(data.length > 40 ? `${text}…` : text) + (data.length > 40 ? ` (${data.length} bytes)` : '')
}
