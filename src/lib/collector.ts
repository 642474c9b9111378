import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (
  options:
    | { readonly type: 'minor'; readonly execution: 'sync' }
    | { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' },
) => void

let collect: Collect | undefined

/** V8's own function that collects garbage. */
export const collector = (): Collect => {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    // V8's own function of that name, of the form that its flag documents.
    collect = runInNewContext('gc') as Collect
  }
  return collect
}
