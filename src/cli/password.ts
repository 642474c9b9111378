import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { fail, type Outcome } from '../compose/failure.ts'

export interface PasswordOptions {
  readonly passwordFile?: string
}

export const PASSWORD_OPTION = [
  '--password-file <file>',
  'read the password from a file (or set EVENTSYNC_PASSWORD; otherwise it is asked for)',
] as const

/** The password from the file, the environment or a question on the terminal; a new one is asked for twice. Never an argument: those are seen by all. */
export const readPassword = async ({ passwordFile }: PasswordOptions, isNew: boolean): Promise<Outcome<string>> => {
  if (passwordFile !== undefined) return fromFile(passwordFile)
  const given = process.env['EVENTSYNC_PASSWORD']
  if (given !== undefined && given !== '') return E.right(given)
  if (!process.stdin.isTTY) return fail('usage', 'a password is needed: set EVENTSYNC_PASSWORD, or name a file with --password-file')
  const password = await ask('Password: ')
  if (password === '') return fail('usage', 'the password is empty')
  if (isNew && (await ask('Once more: ')) !== password) return fail('usage', 'the two passwords differ')
  return E.right(password)
}

const fromFile = (file: string): Outcome<string> => {
  const text = E.tryCatch(
    () => readFileSync(file, 'utf8').replace(/\r?\n$/, ''),
    () => undefined,
  )
  if (E.isLeft(text)) return fail('usage', `the password file ${file} cannot be read`)
  return text.right === '' ? fail('usage', `the password file ${file} is empty`) : text
}

const INTERRUPT = '\u0003'
const END = '\u0004'
const ERASE = '\u007f'

/** Asks on the terminal without showing what is typed. */
const ask = (question: string): Promise<string> =>
  new Promise((resolve) => {
    const { stdin, stderr } = process
    stderr.write(question)
    stdin.setRawMode(true)
    stdin.setEncoding('utf8')
    let typed = ''
    const onData = (keys: string): void => {
      for (const key of keys) {
        if (key === INTERRUPT) process.exit(130)
        if (key === '\r' || key === '\n' || key === END) return done()
        typed = key === ERASE || key === '\b' ? typed.slice(0, -1) : typed + key
      }
    }
    const done = (): void => {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
      stderr.write('\n')
      resolve(typed)
    }
    stdin.on('data', onData)
    stdin.resume()
  })
