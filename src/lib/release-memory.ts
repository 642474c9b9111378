import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type CollectGarbage = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void

let collect: CollectGarbage | undefined

/**
 * Gives back the memory that a large piece of work has left behind: the engine would keep it for the next one. It holds up the thread for some
 * 50 ms at 100 MB, so it is for moments when nothing goes on.
 */
export const releaseMemory = (): void => {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    // V8's own function of that name, of the form that its flag documents.
    collect = runInNewContext('gc') as CollectGarbage
  }
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
