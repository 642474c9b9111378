import { exhume, inspectGraves } from './graves.ts'
import { list } from './list.ts'
import { look } from './look.ts'
import { persist, persistStages } from './persist.ts'
import { readPiece, stagedPieces, stagePiece } from './pieces.ts'
import type { Disk } from './port.ts'
import { read } from './read.ts'
import { mark, rootState } from './root.ts'
import type { Session } from './session.ts'
import { dropGraves, dropStages, finishStage, leftovers, stageFiles, stageLinks } from './stage.ts'
import { apply } from './steps.ts'

/** The names of the port's calls. */
export type TaskName = Exclude<keyof Disk, symbol>

type Task<Call> = Call extends (...args: infer Args) => Promise<infer Result> ? (session: Session, ...args: Args) => Result : never

/** Each call of the port as a synchronous function: the very same whether it runs inline or in a worker. */
export const tasks: { readonly [Name in TaskName]: Task<Disk[Name]> } = {
  root: rootState,
  mark,
  look,
  list,
  read,
  readPiece,
  stageFiles,
  stagePiece,
  stagedPieces,
  finishStage,
  stageLinks,
  dropStages,
  dropGraves,
  leftovers,
  persistStages,
  persist,
  apply,
  inspectGraves,
  exhume,
}
