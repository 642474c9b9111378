import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Loaded into each process of a test before all else: writes down which module of which package is loaded.
const { EVENTSYNC_TEST_LOADED: file = '/dev/null' } = process.env

registerHooks({
  load: (url, context, next) => {
    const found = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
    if (found !== undefined) appendFileSync(file, `${found}\n`)
    return next(url, context)
  },
})
