import type { FolderReport } from '../compose/agent.ts'
import { bytesText, count, printable } from './output.ts'

type Moved = Extract<FolderReport, { readonly tag: 'sent' | 'received' }>

const ACTION: Record<Moved['action'], string> = { create: 'new', update: 'changed', move: 'moved', delete: 'deleted' }

/** What happened, as one line for a person. */
export const reportLine = (report: FolderReport): string => {
  switch (report.tag) {
    case 'sent':
    case 'received':
      return movedLine(report)
    case 'conflict':
      return `conflict: ${printable(report.path)} was changed on two devices; the other version is ${printable(report.copy)}`
    case 'held':
      return `held: ${count(report.count, 'deletion')} wait for your word (${report.reason}): see eventsync approve-deletions --list`
    case 'problem':
      return `problem: ${printable(report.path)}: ${report.reason}`
    case 'connected':
      return 'connected'
    case 'disconnected':
      return `disconnected: ${report.reason}`
    case 'inSync':
      return `in sync at position ${report.position}`
    case 'note':
      return printable(report.text)
    case 'progress':
      return `progress: ${progressText(report)}`
  }
}

const movedLine = ({ tag, action, path, from }: Moved): string =>
  `${tag}: ${ACTION[action]} ${from === undefined ? '' : `${printable(from)} -> `}${printable(path)}`

export type Progress = Extract<FolderReport, { readonly tag: 'progress' }>

/** Where a piece of progress began: rates and the time left are counted from there. */
export interface ProgressStart {
  readonly at: number
  readonly bytes: number
  readonly files: number
}

/** `120 of 10,000 files, 1.2 MiB of 97.7 MiB`, and with a start: the rate and the time left. */
export const progressText = (progress: Progress, since?: ProgressStart, now = 0): string => {
  const { filesDone, filesTotal, bytesDone, bytesTotal } = progress
  const done = `${filesDone} of ${count(filesTotal, 'file')}, ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`
  const seconds = since === undefined ? 0 : (now - since.at) / 1000
  if (since === undefined || seconds < 0.5) return done
  const rate = (bytesDone - since.bytes) / seconds
  const left = secondsLeft(progress, since, seconds)
  return `${done}, ${bytesText(rate)}/s${left === undefined ? '' : `, ${durationText(left)} left`}`
}

/** The slower of what the bytes and the files say. */
const secondsLeft = (
  { filesDone, filesTotal, bytesDone, bytesTotal }: Progress,
  since: ProgressStart,
  seconds: number,
): number | undefined => {
  const byBytes = ((bytesTotal - bytesDone) * seconds) / (bytesDone - since.bytes)
  const byFiles = ((filesTotal - filesDone) * seconds) / (filesDone - since.files)
  const known = [byBytes, byFiles].filter((value) => Number.isFinite(value) && value >= 0)
  return known.length === 0 ? undefined : Math.max(...known)
}

export const durationText = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
