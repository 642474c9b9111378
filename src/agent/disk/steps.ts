import { aside, touch } from './adjust.ts'
import { diskErrorOf } from './errors.ts'
import { failedStep, mkdir, place, symlink } from './place.ts'
import type { Step, StepResult } from './port.ts'
import { remove } from './remove.ts'
import type { Session } from './session.ts'
import { createVisit, type Visit } from './visit.ts'

const take = (visit: Visit, step: Step): StepResult => {
  switch (step.tag) {
    case 'place':
      return place(visit, step.stage, step.path, step.expect, step.grave)
    case 'symlink':
      return symlink(visit, step)
    case 'mkdir':
      return mkdir(visit, step.path)
    case 'remove':
      return remove(visit, step.path, step.expect, step.grave)
    case 'touch':
      return touch(visit, step.path, step.expect, step.executable, step.modified)
    case 'aside':
      return aside(visit, step.path, step.expect, step.to)
  }
}

const tryStep = (visit: Visit, step: Step): StepResult => {
  try {
    return take(visit, step)
  } catch (error) {
    return failedStep(diskErrorOf(error))
  }
}

/** Whether a step may have made wrong what the visit has learned of directories and names. */
const movesDirectories = (step: Step): boolean => (step.tag === 'remove' || step.tag === 'aside') && step.expect.kind === 'directory'

/**
 * Takes the steps in their order; one that fails does not stop the next. Under a folder that has lost its marker (an unmounted disk)
 * nothing is made.
 */
export const apply = (session: Session, steps: readonly Step[]): readonly StepResult[] => {
  const visit = createVisit(session)
  const lost = visit.lost()
  if (lost !== undefined) return steps.map(() => failedStep(lost))
  using held = session.fs.hold?.()
  return steps.map((step) => {
    const result = tryStep(visit, step)
    if (movesDirectories(step)) held?.forget()
    if (movesDirectories(step) || !session.exactNames()) visit.forget()
    return result
  })
}
