import type { FolderReport } from '../compose/agent.ts'
import { progressText, reportLine, type Progress, type ProgressStart } from './report-lines.ts'

/** Where an agent's reports go; `flush` when no more will come. */
export interface Reporter {
  readonly report: (event: FolderReport) => void
  readonly flush: () => void
}

/** Gathers the lines of one turn of the event loop into one write: a first sync reports tens of thousands. */
const lineWriter = (): { readonly line: (text: string) => void; readonly flush: () => void } => {
  let waiting = ''
  const flush = (): void => {
    if (waiting !== '') process.stdout.write(waiting)
    waiting = ''
  }
  return {
    line: (text) => {
      if (waiting === '') setImmediate(flush)
      waiting += `${text}\n`
    },
    flush,
  }
}

/** One JSON object a line. */
export const jsonReporter = (): Reporter => {
  const { line, flush } = lineWriter()
  return { report: ({ tag, ...fields }) => line(JSON.stringify({ event: tag, time: new Date().toISOString(), ...fields })), flush }
}

const WORTH_A_WORD: ReadonlySet<FolderReport['tag']> = new Set(['conflict', 'held', 'problem', 'disconnected'])

/** Hands on only what a person should know of. */
export const quietly = ({ report, flush }: Reporter): Reporter => ({
  report: (event) => {
    if (WORTH_A_WORD.has(event.tag)) report(event)
  },
  flush,
})

const PROGRESS_LINE_EVERY_MS = 10_000

/** One line an event, with its time, for a file or a service's log; of progress, one now and then. */
export const lineReporter = (): Reporter => {
  const { line, flush } = lineWriter()
  let lastProgress = performance.now()
  return {
    report: (event) => {
      if (event.tag === 'progress') {
        if (performance.now() - lastProgress < PROGRESS_LINE_EVERY_MS) return
        lastProgress = performance.now()
      }
      line(`${new Date().toISOString()} ${reportLine(event)}`)
    },
    flush,
  }
}

const REDRAW_EVERY_MS = 100
const CLEAR_LINE = '\r\u001b[K'

/** For a terminal: a line that shows the progress of a large sync in place of a line a file, and lines otherwise. */
export const terminalReporter = (): Reporter => {
  const { line, flush } = lineWriter()
  let since: ProgressStart | undefined
  let drawn = 0
  const draw = (progress: Progress): void => {
    const now = performance.now()
    since ??= { at: now, bytes: progress.bytesDone, files: progress.filesDone }
    if (now - drawn < REDRAW_EVERY_MS) return
    drawn = now
    process.stderr.write(CLEAR_LINE + progressText(progress, since, now).slice(0, process.stderr.columns - 1))
  }
  const clear = (): void => {
    if (drawn > 0) process.stderr.write(CLEAR_LINE)
    drawn = 0
  }
  return {
    report: (event) => {
      if (event.tag === 'progress') {
        draw(event)
        if (event.filesDone >= event.filesTotal) since = undefined
        return
      }
      if (since !== undefined && (event.tag === 'sent' || event.tag === 'received')) return
      if (event.tag === 'inSync') since = undefined
      clear()
      line(reportLine(event))
    },
    flush: () => {
      clear()
      flush()
    },
  }
}
