import type { DiskError } from './port.ts'

type Tag = Exclude<DiskError['tag'], 'NameClash'>

/** The one place where error codes get their meaning. A call that has a better word for a code (EEXIST, ENOENT) looks at the code first. */
const KINDS: Readonly<Record<string, readonly [Tag, string]>> = {
  EACCES: ['NoPermission', 'permission denied'],
  EPERM: ['NoPermission', 'the system does not permit it'],
  EROFS: ['NoPermission', 'the file system is read-only'],
  ENOSPC: ['NoSpace', 'no space is left on the device'],
  EDQUOT: ['NoSpace', 'the disk quota is used up'],
  EFBIG: ['NoSpace', 'the file is too large for this file system'],
  ENAMETOOLONG: ['BadName', 'the name is too long for this file system'],
  EINVAL: ['BadName', 'this file system does not allow such a name'],
  EILSEQ: ['BadName', 'it is not UTF-8'],
  ERR_INVALID_ARG_VALUE: ['BadName', 'the text holds a NUL'],
  ENOENT: ['BadParent', 'the folder that it is in is missing'],
  ENOTDIR: ['BadParent', 'what should be a folder is none'],
  ELOOP: ['BadParent', 'a symlink is in the way'],
  EXDEV: ['Io', 'another file system is mounted there'],
  ENOTEMPTY: ['NotEmpty', 'the folder is not empty'],
}

/** The code of a failed file system call. Anything else that was thrown is a bug, and is thrown on. */
export const codeOf = (error: unknown): string => {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  throw error
}

export const io = (reason: string): DiskError => ({ tag: 'Io', reason })

/** What a failed file system call means for the item that it was about. */
export const diskErrorOf = (error: unknown): DiskError => {
  const code = codeOf(error)
  const [tag, reason] = KINDS[code] ?? ['Io', 'input or output failed']
  return { tag, reason: `${reason} (${code})` }
}

/** Codes that say: nothing is there, and nothing by that name could be. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ'].includes(codeOf(error))

/** Codes by which file systems say that they do not do hard links, or no more of them for this file. */
export const isLinkless = (error: unknown): boolean => ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))
