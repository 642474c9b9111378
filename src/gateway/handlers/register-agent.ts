import * as E from 'fp-ts/lib/Either.js'
import type { AccountEvent, AccountId } from '../../domain/events.ts'
import { accountIdOf } from '../../protocol/event-ids.ts'
import type { Answer } from '../../protocol/messages.ts'
import { agentKeyOf, countersignText, registrationProofText } from '../../protocol/signing.ts'
import type { Core } from '../core.ts'
import { failed, refused, type Refused } from '../refusals.ts'
import { accountDraft, appendToAccount, ensureFolder, registered } from './accounts.ts'
import { reply, type Asked, type Context, type Reply } from './context.ts'

type RegisterAgent = Asked<'RegisterAgent'>['request']

const BAD_SIGNATURE = refused(403, 'signature', "the signature is not the key's over this registration")

/** Enrols a device's key; the password is proved this once. Who there is can't be told from the answer, nor from its time. */
export const registerAgent = async (context: Context, { request, peer }: Asked<'RegisterAgent'>): Promise<Reply> => {
  const account = accountIdOf(request.email)
  const { address } = peer
  const answer = await register(context, account, request, address)
  context.refusedSignIns.note(answer, { address, account, agent: request.key })
  return reply(answer)
}

const register = async ({ core, attempts }: Context, account: AccountId, request: RegisterAgent, address: string): Promise<Answer> => {
  if (request.publicKey === undefined && core.settings.passwordClients === 'refuse')
    return refused(403, 'passwordClients', 'this gateway takes no clients that prove themselves by a password alone')
  const buckets = [`address/${address}`, `account/${account}`]
  if (!attempts.take(buckets)) return refused(429, 'tooMany', 'too many attempts: wait before the next')
  if (!(await core.passwords.check(request.password, core.state.directory.account(account)?.verifier)))
    return refused(403, 'password', 'the email address or the password is wrong')
  attempts.giveBack(buckets)
  return (await wrongProof(core, account, request)) ?? enrol(core, account, request)
}

const wrongProof = async (
  core: Core,
  account: AccountId,
  { key, email, publicKey, proof, vouchedBy, countersignature }: RegisterAgent,
): Promise<Refused | undefined> => {
  if (publicKey === undefined || proof === undefined) return undefined
  if (agentKeyOf(Buffer.from(publicKey, 'base64')) !== key) return refused(400, 'format', 'Agent.Key must be the one of Agent.PublicKey')
  if (!(await core.verify(publicKey, registrationProofText(email, publicKey), proof))) return BAD_SIGNATURE
  if (vouchedBy === undefined || countersignature === undefined) return undefined
  const voucher = core.state.directory.agent(vouchedBy)
  if (voucher === undefined || voucher.account !== account || voucher.revoked || voucher.publicKey === null) return BAD_SIGNATURE
  return (await core.verify(voucher.publicKey, countersignText(email, publicKey), countersignature)) ? undefined : BAD_SIGNATURE
}

const enrol = async (core: Core, account: AccountId, request: RegisterAgent): Promise<Answer> => {
  const { key } = request
  const appended = await appendToAccount(core, account, () => {
    const known = core.state.directory.agent(key)
    if (known === undefined)
      return E.right(
        accountDraft(core, enrolment(account, request), `agent/${account}/${key}/registered`, { account, agent: key, proof: 'password' }),
      )
    if (known.account !== account || known.publicKey !== (request.publicKey ?? null))
      return E.left(refused(403, 'agent', 'the key is enrolled otherwise'))
    return known.revoked ? E.left(refused(403, 'revoked', 'the agent has been revoked: make a new key')) : E.right(undefined)
  })
  if (E.isLeft(appended)) return appended.left.tag === 'Refused' ? appended.left : failed(appended.left)
  const folder = await ensureFolder(core, account)
  return E.isLeft(folder) ? failed(folder.left) : registered(core, account, folder.right)
}

const enrolment = (account: AccountId, { key, name, publicKey, vouchedBy, countersignature }: RegisterAgent): AccountEvent => ({
  type: 'AgentRegistered',
  account,
  agent: key,
  name,
  publicKey: publicKey ?? null,
  vouchedBy: vouchedBy ?? 'operator',
  countersignature: countersignature ?? null,
})
