import type { FolderStatus } from '../engine/folder-sync.types.ts'

/** What is asked of a running agent, one JSON object a line. */
export type ControlRequest =
  | { readonly ask: 'status' }
  /** Answered when everything found is settled; given up when the connection closes. */
  | { readonly ask: 'settle' }
  | { readonly ask: 'approve'; readonly paths: readonly string[] }

export type ControlAnswer =
  | { readonly tag: 'status'; readonly status: FolderStatus }
  | { readonly tag: 'approved'; readonly count: number }
  | { readonly tag: 'error'; readonly reason: string }

export const parseRequest = (line: string): ControlRequest | undefined => {
  const value = parseJson(line)
  if (typeof value !== 'object' || value === null || !('ask' in value)) return undefined
  if (value.ask === 'status' || value.ask === 'settle') return { ask: value.ask }
  if (value.ask !== 'approve' || !('paths' in value) || !Array.isArray(value.paths)) return undefined
  return { ask: 'approve', paths: value.paths.filter((path) => typeof path === 'string') }
}

const parseJson = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
