import type { IncomingMessage, RequestListener } from 'node:http'
import { isDeclaring, isEnrolment, isGranted, isTopicGranted, type Question, type UserKind } from './grants.ts'
import { ENROL } from './names.ts'

/** Who there is, as the gateway knows it. */
export interface BrokerUsers {
  /** Whether a user's password is right. */
  readonly check: (user: string, password: string) => Promise<boolean>
  /** What kind of user it is; undefined: nobody, or somebody who was revoked. */
  readonly kindOf: (user: string) => Exclude<UserKind, 'enrol' | 'enrolPlain'> | undefined
  /** Whether clients of PySync may come. */
  readonly plainClients: boolean
  /** Whether a user may make one more queue now: there is no other bound on their number. */
  readonly mayDeclare: (user: string) => boolean
}

const MAX_FORM = 16 * 1024

const formOf = async (request: IncomingMessage): Promise<Question | undefined> => {
  let text = ''
  request.setEncoding('utf8')
  for await (const part of request) {
    text += String(part)
    if (text.length > MAX_FORM) return undefined
  }
  return Object.fromEntries(new URLSearchParams(text))
}

const decide = async (users: BrokerUsers, path: string, question: Question): Promise<boolean> => {
  const { username: user = '', password = '' } = question
  const enrolling = users.plainClients ? 'enrolPlain' : 'enrol'
  const kind = user === ENROL ? enrolling : users.kindOf(user)
  switch (path) {
    case '/auth/user':
      return kind === enrolling ? isEnrolment(question) : (await users.check(user, password)) && kind !== undefined
    case '/auth/vhost':
      return kind !== undefined
    case '/auth/resource':
      return kind !== undefined && isGranted(kind, question) && (!isDeclaring(question) || users.mayDeclare(user))
    case '/auth/topic':
      return kind !== undefined && isTopicGranted(kind, question)
    default:
      return false
  }
}

/**
 * Answers the broker's questions about users (rabbitmq_auth_backend_http, POST): `allow` or `deny`, and 500 where it cannot tell. It is
 * for the broker alone, on an address that nobody else reaches: it tells right passwords from wrong ones.
 */
export const brokerAuth =
  (users: BrokerUsers): RequestListener =>
  (request, response) => {
    const answer = (status: number, text: string): void => void response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text)
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (request.method !== 'POST') return answer(405, 'only POST is answered here')
    void formOf(request)
      .then(async (form) => answer(200, form !== undefined && (await decide(users, path, form)) ? 'allow' : 'deny'))
      .catch(() => answer(500, 'failed'))
  }
