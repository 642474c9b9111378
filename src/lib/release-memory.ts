import { collector } from './collector.ts'

/**
 * Gives back the memory that a large piece of work has left behind: the engine would keep it for the next one. It holds up the thread for some
 * 50 ms at 100 MB, so it is for moments when nothing goes on.
 */
export const releaseMemory = (): void => collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' })
