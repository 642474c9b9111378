import type { FileSystem } from '../../filesystem/port.ts'
import type { Disk } from './port.ts'
import { createSession } from './session.ts'
import { tasks } from './tasks.ts'

/** A Disk whose work is done at once, in the calling thread: for the simulation, and for tests. */
export const inlineDisk = (fs: FileSystem): Disk => {
  const session = createSession(fs)
  return {
    root: async () => tasks.root(session),
    mark: async (marker) => tasks.mark(session, marker),
    look: async (paths) => tasks.look(session, paths),
    list: async (directories) => tasks.list(session, directories),
    read: async (paths, like) => tasks.read(session, paths, like),
    readPiece: async (path, offset, chunk) => tasks.readPiece(session, path, offset, chunk),
    stageFiles: async (files) => tasks.stageFiles(session, files),
    stagePiece: async (stage, offset, chunk, source) => tasks.stagePiece(session, stage, offset, chunk, source),
    stagedPieces: async (stage, chunks) => tasks.stagedPieces(session, stage, chunks),
    finishStage: async (stage, content) => tasks.finishStage(session, stage, content),
    stageLinks: async (links) => tasks.stageLinks(session, links),
    dropStages: async (stages) => tasks.dropStages(session, stages),
    dropGraves: async (graves) => tasks.dropGraves(session, graves),
    leftovers: async () => tasks.leftovers(session),
    persistStages: async (stages, paths) => tasks.persistStages(session, stages, paths),
    persist: async (paths) => tasks.persist(session, paths),
    apply: async (steps) => tasks.apply(session, steps),
    inspectGraves: async (graves, buried) => tasks.inspectGraves(session, graves, buried),
    exhume: async (grave, path) => tasks.exhume(session, grave, path),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
