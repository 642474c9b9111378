import type * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import type { StoreError } from '../port.ts'
import { checkName } from './names.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR'])

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && 'syscall' in error && typeof error.code === 'string' ? error.code : undefined

/** There is no such file; for a directory, or a name below a file, too. */
export const isAbsent = (error: unknown): boolean => ABSENT.has(codeOf(error) ?? '')

type Classify = (name: string, code: string) => StoreError

/** No space is the only thing that a writer can tell its caller to act on. */
export const writeError: Classify = (_, code) =>
  FULL.has(code)
    ? { tag: 'Full', reason: `no space in the store (${code})` }
    : { tag: 'Unavailable', reason: `the store can't be written (${code})` }

/** A medium that can't be read is damage: the bytes may come back from an agent (DESIGN.md section 5). */
export const readError: Classify = (name, code) => {
  if (ABSENT.has(code)) return { tag: 'NotFound', name }
  return code === 'EIO'
    ? { tag: 'Damaged', name, reason: 'the disk reports an error' }
    : { tag: 'Unavailable', reason: `the store can't be read (${code})` }
}

/** Runs work on an object; the file system's errors become lefts, once; any other throw is a mistake in the program, and stays one. */
export const attempt =
  <A>(name: string, classify: Classify, work: () => Promise<E.Either<StoreError, A>>): TE.TaskEither<StoreError, A> =>
  async () => {
    checkName(name)
    try {
      return await work()
    } catch (error) {
      const code = codeOf(error)
      if (code === undefined) throw error
      return E.left(classify(name, code))
    }
  }
