import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { durationSeconds } from './time-span.ts'

export type { Command }

/** Options that every command knows. */
export interface Globals {
  readonly state?: string
  readonly config?: string
  readonly verbose?: boolean
}

const version = (): string => {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof text === 'object' && text !== null && 'version' in text ? String(text.version) : 'unknown'
}

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not in sync (yet), 4 server out of reach, 5 refused (sign-in, right, revoked), 6 damage found.

A first look, with nothing to set up:
  $ eventsync demo`

/** `commands` add themselves, in the order in which the help lists them. */
export const createProgram = (commands: readonly ((program: Command) => void)[]): Command => {
  const program = new Command('eventsync')
    .description('Keeps folders in sync between devices, and keeps a replayable, provable record of every change.')
    .version(version())
    .option('--state <dir>', "this device's own directory: key, indexes (EVENTSYNC_STATE; default $XDG_STATE_HOME/eventsync)")
    .option('--config <file>', 'settings as a JSON object')
    .option('--verbose', 'say more where something goes wrong')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(eventsync --help, or eventsync COMMAND --help, shows how)')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
  for (const add of commands) add(program)
  return program
}

/** An example in a command's help. */
export const example = (...lines: readonly string[]): string => `\nExample:\n${lines.map((line) => `  ${line}`).join('\n')}`

/** Reads an option's value as a number of seconds. */
export const seconds = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number of seconds.')
  return value
}

/** Reads an option's value as a whole number from 1. */
export const atLeastOne = (text: string): number => {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 1 or more.')
  return Number(text)
}

/** Reads an option's value as a span of time, in seconds. */
export const timeSpan = (text: string): number => {
  const value = durationSeconds(text)
  if (value === undefined) throw new InvalidArgumentError('It must be a span of time such as 365d, 36h or 2w.')
  return value
}

/** Reads an option's value as a whole number from 0 on. */
export const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** An option that may be given several times. */
export const several = (text: string, before: readonly string[]): readonly string[] => [...before, text]

/** Runs the command that `argv` asks for, and returns the exit code of a wrong usage (2), or of a help or version shown (0); the commands set theirs themselves. */
export const parseArguments = async (program: Command, argv: readonly string[]): Promise<number | undefined> => {
  try {
    await program.parseAsync([...argv])
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
}
