import * as E from 'fp-ts/lib/Either.js'
import { accountIdOf, normalizeEmail } from '../../protocol/event-ids.ts'
import type { Answer } from '../../protocol/messages.ts'
import type { AccountId } from '../../domain/events.ts'
import { failed, refused } from '../refusals.ts'
import { accountDraft, appendToAccount, ensureFolder, registered } from './accounts.ts'
import { reply, type Asked, type Context, type Reply } from './context.ts'

const WRONG = refused(403, 'password', 'there is an account of this address, with another password')

/** Makes an account. Asked again with the same password, it answers the same: its first answer may have been lost. */
export const registerUser = async (context: Context, { request, peer }: Asked<'RegisterUser'>): Promise<Reply> => {
  const account = accountIdOf(request.email)
  const { address } = peer
  const answer = await registerWithin(context, account, request, address)
  context.refusedSignIns.note(answer, { address, account })
  return reply(answer)
}

const registerWithin = async (
  context: Context,
  account: AccountId,
  { email, password }: Asked<'RegisterUser'>['request'],
  address: string,
): Promise<Answer> => {
  const { core, attempts } = context
  if (core.settings.registration === 'closed') return refused(403, 'registration', 'registration is closed on this gateway')
  const buckets = [`address/${address}`, `account/${account}`]
  if (!attempts.take(buckets)) return refused(429, 'tooMany', 'too many attempts: wait before the next')
  const answer = await register(context, account, email, password)
  if (answer.status === 200) attempts.giveBack(buckets)
  return answer
}

const register = async ({ core }: Context, account: AccountId, email: string, password: string): Promise<Answer> => {
  const { directory } = core.state
  // One derivation either way, so that its time tells nothing.
  const known = directory.account(account)
  const right = known === undefined ? undefined : await core.passwords.check(password, known.verifier)
  if (right === false) return WRONG
  if (right === undefined) {
    const verifier = await core.passwords.make(password)
    const appended = await appendToAccount(core, account, () =>
      directory.account(account) === undefined
        ? E.right(
            accountDraft(
              core,
              { type: 'AccountRegistered', account, email: normalizeEmail(email), verifier },
              `account/${account}/registered`,
              { account, proof: 'password' },
            ),
          )
        : E.left(WRONG),
    )
    if (E.isLeft(appended)) return appended.left.tag === 'Refused' ? appended.left : failed(appended.left)
  }
  const folder = await ensureFolder(core, account)
  return E.isLeft(folder) ? failed(folder.left) : registered(core, account, folder.right)
}
