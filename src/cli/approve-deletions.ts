import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../compose/failure.ts'
import { heldText } from './folder-lines.ts'
import { conclude } from './outcome.ts'
import { count, print, printable, printJson } from './output.ts'
import { example, type Command, type Globals } from './program.ts'
import { deviceSettings } from './settings.ts'

interface Options extends Globals {
  readonly list?: boolean
  readonly json?: boolean
}

const WHY = `
Deletions of all files, or of very many at once, wait for a person: they may mean a disk that is not mounted, or a folder emptied by mistake.
To have the files back instead, put them back, or start anew (docs/devices.md).`

/** `eventsync approve-deletions`: lets held deletions go out. */
export const approveDeletions = (program: Command): void => {
  program
    .command('approve-deletions')
    .description('let deletions go out that were held because there were so many')
    .argument('[folder]', 'the folder (not needed where this device syncs only one)')
    .argument('[path...]', 'only those at or under these paths, relative to the folder (default: all)')
    .option('--list', 'list what is held, and approve nothing')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `${example('$ eventsync approve-deletions ~/Sync --list', '$ eventsync approve-deletions ~/Sync', '$ eventsync approve-deletions ~/Sync photos/2019')}\n${WHY}`,
    )
    .action(async (folder: string | undefined, paths: readonly string[], _: Options, command: Command) =>
      conclude(await run(folder, paths, command.optsWithGlobals<Options>())),
    )
}

const run = async (wanted: string | undefined, paths: readonly string[], options: Options): Promise<Outcome> => {
  const device = deviceSettings(options)
  if (E.isLeft(device)) return device
  const { oneFolder, statusOf, approve } = await (await import('../compose.ts')).folders()
  const folder = oneFolder(device.right.state, wanted)
  if (E.isLeft(folder)) return folder
  if (options.list === true)
    return E.map(({ status }: { readonly status: { readonly held: readonly string[] } }) => list(status.held, options))(
      await statusOf(folder.right),
    )
  const before = await statusOf(folder.right)
  const approved = await approve(folder.right, paths)
  const isRoot = paths.length === 0 && E.isRight(before) && before.right.status.held.includes('')
  return E.map((number: number) => {
    if (options.json === true) return printJson({ approved: number })
    print(
      isRoot
        ? 'The folder is approved as it is now: what is missing in it is deleted everywhere.'
        : `${count(number, 'deletion')} approved.`,
    )
  })(approved)
}

const list = (held: readonly string[], { json }: Options): void => {
  if (json === true) return printJson({ held })
  for (const path of held) print(printable(heldText(path)))
  if (held.length === 0) print('No deletions are held.')
}
