import * as E from 'fp-ts/lib/Either.js'
import type { AccountEvent, AccountId, FolderId } from '../../domain/events.ts'
import { accountStream, folderStream } from '../../protocol/streams.ts'
import { encodeAccountEvent, encodeFolderEvent, encodeMetadata, type EventMetadata } from '../../protocol/event-codec.ts'
import { folderIdOf, uuidV5 } from '../../protocol/event-ids.ts'
import type { Answer } from '../../protocol/messages.ts'
import type { AppendFailure, Draft } from '../append.ts'
import type { Core } from '../core.ts'

/** The folder that an account starts with. */
export const DEFAULT_FOLDER = 'default'

export const defaultFolderOf = (account: AccountId): FolderId => folderIdOf(account, DEFAULT_FOLDER)

/** `name` makes the event's id: the same for the same event. */
export const accountDraft = (core: Core, event: AccountEvent, name: string, metadata: Omit<EventMetadata, 'time'>): Draft => ({
  id: uuidV5(name),
  ...encodeAccountEvent(event),
  metadata: encodeMetadata({ ...metadata, time: core.clock.wall() }),
})

/** Appends to an account's stream what `decide` finds missing there; a left of `decide` is the answer. */
export const appendToAccount = async <L>(
  core: Core,
  account: AccountId,
  decide: () => E.Either<L, Draft | undefined>,
): Promise<E.Either<L | AppendFailure, void>> => {
  const written = await core.appender.append<L, undefined>(accountStream(account), async () =>
    E.map((draft: Draft | undefined) => ({ drafts: draft === undefined ? [] : [draft], result: undefined }))(decide()),
  )
  return E.map(() => undefined)(written)
}

/** Makes the account's folder where it is missing: a gateway that died between the two appends left it so. */
export const ensureFolder = async (core: Core, account: AccountId): Promise<E.Either<AppendFailure, FolderId>> => {
  const folder = defaultFolderOf(account)
  const written = await core.appender.append<never, undefined>(folderStream(folder), async () => {
    const known = core.state.directory.folder(folder) !== undefined
    return E.right({ drafts: known ? [] : [folderDraft(core, account, folder)], result: undefined })
  })
  return E.map(() => folder)(written)
}

const folderDraft = (core: Core, account: AccountId, folder: FolderId): Draft => ({
  id: uuidV5(`folder/${folder}/created`),
  ...encodeFolderEvent({ type: 'FolderCreated', account, name: DEFAULT_FOLDER }),
  metadata: encodeMetadata({ account, time: core.clock.wall(), proof: 'gateway' }),
})

export const registered = (core: Core, account: AccountId, folder: FolderId): Answer => ({
  tag: 'Registered',
  status: 200,
  account,
  folder,
  gatewayKey: core.signer.publicKey,
})
