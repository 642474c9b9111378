import { sameMetadata, type Content } from '../../domain/content.ts'
import type { FileSystem } from '../../filesystem/port.ts'
import { sha256 } from '../../protocol/hash.ts'
import { removeFile, withFile } from './bytes.ts'
import { codeOf, diskErrorOf, isMissing } from './errors.ts'
import { gravePath, OWN, stagePath } from './own.ts'
import type { DiskError, SmallFile, StageLink, StageResult } from './port.ts'
import type { Session } from './session.ts'
import { isExecutable, modeFor, sameInode, unchanged } from './stat.ts'
import { createVisit, type Visit } from './visit.ts'

export const STAGED: StageResult = { tag: 'staged' }
export const MISMATCH: StageResult = { tag: 'mismatch' }

/** Why nothing can be written under `.eventsync/`: it is checked like any parent, since a symlink there would lead outside (I11). */
export const blockedOwn = (visit: Visit, directory: string): DiskError | undefined => {
  const blocked = visit.blocked(directory)
  return blocked !== undefined && 'error' in blocked ? blocked.error : undefined
}

/** A stage that could not be written whole is removed: on a full disk its space is the first to be needed. */
const abandon = (fs: FileSystem, path: string, error: unknown): StageResult => {
  const failed: StageResult = { tag: 'failed', error: diskErrorOf(error) }
  try {
    removeFile(fs, path)
  } catch (also) {
    codeOf(also)
  }
  return failed
}

type Metadata = Pick<Content, 'executable' | 'modified'>

/** Time and executable bit. What may be read, and by whom, came from the umask when the stage was made. */
export const setMetadata = (fs: FileSystem, path: string, mode: number, content: Metadata): void => {
  if (isExecutable(mode) !== content.executable) fs.chmod(path, modeFor(mode, content.executable))
  fs.utimes(path, BigInt(content.modified))
}

/** There are file systems that keep no time of a symlink's own: it is as good without. */
export const setLinkTime = (fs: FileSystem, path: string, modified: string): void => {
  try {
    fs.utimes(path, BigInt(modified))
  } catch (error) {
    if (!['ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error))) throw error
  }
}

const createOver = (fs: FileSystem, path: string): number => {
  try {
    return fs.open(path, 'wx')
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    fs.unlink(path)
    return fs.open(path, 'wx')
  }
}

const stageFile = (fs: FileSystem, { stage, content, bytes }: SmallFile): StageResult => {
  if (bytes.length !== content.size || sha256(bytes) !== content.hash) return MISMATCH
  const path = stagePath(stage)
  try {
    const fd = createOver(fs, path)
    try {
      if (bytes.length > 0) fs.write(fd, bytes, 0)
    } finally {
      fs.close(fd)
    }
    setMetadata(fs, path, content.executable ? fs.lstat(path).mode : 0, content)
    return STAGED
  } catch (error) {
    return abandon(fs, path, error)
  }
}

/** Writes whole small files into the stage, metadata included; what was left there under the name is replaced. */
export const stageFiles = (session: Session, files: readonly SmallFile[]): readonly StageResult[] => {
  const error = blockedOwn(createVisit(session), OWN.stages)
  return files.map((file) => (error === undefined ? stageFile(session.fs, file) : { tag: 'failed', error }))
}

/** Cuts a staged file to size and sets its metadata. It must hold all pieces by then. */
export const finishStage = (session: Session, stage: string, content: Content): StageResult => {
  const { fs } = session
  const error = blockedOwn(createVisit(session), OWN.stages)
  if (error !== undefined) return { tag: 'failed', error }
  const path = stagePath(stage)
  try {
    const stat = withFile(fs, path, 'r+', (fd) => {
      const stat = fs.fstat(fd)
      if (stat.size > content.size) fs.truncate(fd, content.size)
      return stat
    })
    if (stat.kind !== 'file' || stat.size < content.size) return MISMATCH
    setMetadata(fs, path, stat.mode, content)
    return STAGED
  } catch (error) {
    return isMissing(error) ? MISMATCH : { tag: 'failed', error: diskErrorOf(error) }
  }
}

/**
 * Links files of the folder into the stage: moves without copies. Metadata is the inode's: setting it here would change the old name's
 * too, and look like an edit there. So where the move brings other metadata, that is a mismatch.
 */
export const stageLinks = (session: Session, links: readonly StageLink[]): readonly StageResult[] => {
  const visit = createVisit(session)
  const error = blockedOwn(visit, OWN.stages)
  return links.map((link) => (error === undefined ? stageLink(visit, link) : { tag: 'failed', error }))
}

const stageLink = (visit: Visit, { stage, path, expect, content }: StageLink): StageResult => {
  const { fs } = visit.session
  const found = visit.find(path)
  if (found.tag === 'failed') return { tag: 'failed', error: found.error }
  if (found.tag !== 'found' || expect.kind === 'directory' || !unchanged(found.stat, expect)) return MISMATCH
  if (!sameMetadata({ ...content, kind: expect.kind, executable: expect.executable, modified: expect.mtime }, content)) return MISMATCH
  const staged = stagePath(stage)
  try {
    removeFile(fs, staged)
    fs.link(path, staged)
    if (sameInode(fs.lstat(staged), expect)) return STAGED
    fs.unlink(staged)
    return MISMATCH
  } catch (error) {
    return isMissing(error) ? MISMATCH : abandon(fs, staged, error)
  }
}

const drop = (session: Session, directory: string, paths: readonly string[]): void => {
  if (blockedOwn(createVisit(session), directory) !== undefined) return
  for (const path of paths) {
    try {
      removeFile(session.fs, path)
    } catch (error) {
      // What can't be removed now is among the leftovers at the next start.
      codeOf(error)
    }
  }
}

export const dropStages = (session: Session, stages: readonly string[]): void => drop(session, OWN.stages, stages.map(stagePath))

export const dropGraves = (session: Session, graves: readonly string[]): void => drop(session, OWN.graves, graves.map(gravePath))

const namesIn = (session: Session, directory: string): readonly string[] => {
  try {
    return session.fs.readdir(directory).flatMap(({ name }) => (name === undefined ? [] : [name]))
  } catch (error) {
    codeOf(error)
    return []
  }
}

/** The names of all stages and graves. */
export const leftovers = (session: Session): { readonly stages: readonly string[]; readonly graves: readonly string[] } => ({
  stages: namesIn(session, OWN.stages),
  graves: namesIn(session, OWN.graves),
})
