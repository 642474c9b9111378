import { inspectWithin } from '../graves.ts'
import type { StageResult } from '../port.ts'
import { readWithin } from '../read.ts'
import type { Session } from '../session.ts'
import { tasks } from '../tasks.ts'
import { unpackFiles, type PackedFiles } from './packed-files.ts'
import { readShown } from './shared-windows.ts'

const stagePacked = (session: Session, packed: PackedFiles): readonly StageResult[] => tasks.stageFiles(session, unpackFiles(packed))

/** What a worker does: the port's calls, those with a limit to how much they read, one whose arguments are packed for the way, and one that shows what it reads. */
export const work = { ...tasks, readWithin, inspectWithin, stagePacked, readShown }

export type WorkName = keyof typeof work

type Rest<Args extends readonly unknown[]> = Args extends readonly [unknown, ...infer Others] ? Others : never

export type WorkArgs<Name extends WorkName> = Rest<Parameters<(typeof work)[Name]>>
export type WorkResult<Name extends WorkName> = ReturnType<(typeof work)[Name]>

/** One call, on its way to a worker. */
export interface Call {
  readonly id: number
  readonly name: WorkName
  readonly args: readonly unknown[]
}

export type Answer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly bug: string }

const memoryOf = (value: unknown): ArrayBuffer[] =>
  value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.byteLength > 0 ? [value.buffer] : []

/** The memory of a result that changes hands without a copy: each task makes its bytes for its caller alone. */
export const memoryIn = (result: unknown): ArrayBuffer[] => {
  if (result instanceof Uint8Array) return memoryOf(result)
  if (!Array.isArray(result)) return []
  const memory = new Set<ArrayBuffer>()
  for (const item of result as readonly unknown[])
    if (typeof item === 'object' && item !== null && 'bytes' in item) for (const buffer of memoryOf(item.bytes)) memory.add(buffer)
  return [...memory]
}
