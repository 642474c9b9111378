import * as E from 'fp-ts/lib/Either.js'
import { MAX_FILE_SIZE } from '../domain/content.ts'
import { parsePath } from '../domain/path.ts'
import { normalizeEmail } from './event-ids.ts'
import type { JsonObject } from './json.ts'
import type { PlainAction, Request } from './messages.ts'
import type { Fields } from './reader.ts'

const EMAIL = /^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u
const MAX_EMAIL = 254
/** With the white space around it. */
const MAX_TEXT = 1024
const MAX_PASSWORD = 1024

/** PySync's actions on files; the sender is proved by the password that comes with each. */
const ACTIONS = new Set(['Create', 'Update', 'Delete', 'Open', 'Sync'])

/** A message in PySync's own form: one of its actions with a user, and no signature. */
export const isPlain = (message: Fields): boolean => {
  const action = message.raw('Action')
  return typeof action === 'string' && ACTIONS.has(action) && !message.has('Signature') && message.fieldsOrNone('Agent').has('User')
}

export interface User {
  readonly email: string
  readonly password: string
}

/** `Agent.User`. The password is in no error's text. */
export const readUser = (agent: Fields): User => {
  const user = agent.fields('User')
  const email = normalizeEmail(user.string('Email', MAX_TEXT))
  if (!EMAIL.test(email)) user.fail('Email', 'must be an email address')
  if (email.length > MAX_EMAIL) user.fail('Email', `must have at most ${MAX_EMAIL} characters`)
  const password = user.string('Password', MAX_PASSWORD)
  if (password === '') user.fail('Password', 'must not be empty')
  return { email, password }
}

export const encodeUser = ({ email, password }: User): JsonObject => ({ Email: email, Password: password })

export const readPlain = (message: Fields): Request => {
  const agent = message.fields('Agent')
  return { tag: 'Plain', key: agent.agentKey('Key'), ...readUser(agent), action: readAction(message) }
}

const readAction = (message: Fields): PlainAction => {
  const action = message.raw('Action')
  switch (action) {
    case 'Create': {
      const file = message.fields('File')
      return { tag: 'Create', path: file.path('OriginalName'), size: file.size('Size', MAX_FILE_SIZE) }
    }
    case 'Update': {
      const file = message.fields('File')
      return { tag: 'Update', name: readName(file, 'Name'), size: file.size('Size', MAX_FILE_SIZE) }
    }
    case 'Delete':
      return {
        tag: 'Delete',
        name: typeof message.raw('File') === 'string' ? readName(message, 'File') : readName(message.fields('File'), 'Name'),
      }
    case 'Open':
      return { tag: 'Open', name: readName(message.fields('File'), 'Name') }
    case 'Sync':
      return { tag: 'Sync', position: message.has('Position') ? message.integer('Position', -1) : -1 }
    default:
      message.fail('Action', 'must be "Create", "Update", "Delete", "Open" or "Sync" for a client that proves itself by a password')
      return { tag: 'Sync', position: -1 }
  }
}

/** A file's id or its path. An id of 32 hex digits has the form of a path, too. */
const readName = (fields: Fields, field: string): string => {
  const path = parsePath(fields.raw(field))
  if (E.isRight(path)) return path.right
  fields.fail(field, `must be a file's id or path, and ${path.left.reason}`)
  return ''
}

/** The fields that an action adds to a message. */
export const encodePlainAction = (action: PlainAction): JsonObject => {
  switch (action.tag) {
    case 'Create':
      return { File: { OriginalName: action.path, Size: String(action.size) } }
    case 'Update':
      return { File: { Name: action.name, Size: String(action.size) } }
    case 'Delete':
      return { File: action.name }
    case 'Open':
      return { File: { Name: action.name } }
    case 'Sync':
      return action.position < 0 ? {} : { Position: action.position }
  }
}
