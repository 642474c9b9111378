import type { FolderId } from '../../domain/events.ts'
import type { Core } from '../core.ts'
import { createFolderWriter, type FolderWriter } from './folder-writer.ts'

/** Writers without work that are kept. */
const MAX_IDLE = 1000

/** One writer a folder, kept while it has work. */
export const createWriters = (core: Core): ((folder: FolderId) => FolderWriter) => {
  const known = new Map<FolderId, FolderWriter>()
  return (folder) => {
    const writer = known.get(folder) ?? createFolderWriter(core, folder)
    known.set(folder, writer)
    if (known.size > MAX_IDLE) for (const [key, other] of known) if (other.isIdle() && other !== writer) known.delete(key)
    return writer
  }
}
