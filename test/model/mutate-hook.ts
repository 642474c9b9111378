import { registerHooks } from 'node:module'
import { mutantOf, mutate } from './mutants.ts'

/**
 * Breaks the product in one place while it is loaded: `bin/node24 --import ./test/model/mutate-hook.ts?mutant=I4 test/model/run.ts`. The files stay as they are.
 */
const mutant = mutantOf(new URL(import.meta.url).searchParams.get('mutant'))
const target = new URL(`../../${mutant.file}`, import.meta.url).href

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    if (url !== target) return loaded
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: mutate(mutant, text) }
  },
})
