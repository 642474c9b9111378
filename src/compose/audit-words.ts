/** What the commands need before, or without, anything being opened. */
export { ACTION_WORDS, actionWord } from '../audit/actions.ts'
