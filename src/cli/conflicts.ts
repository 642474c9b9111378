import * as E from 'fp-ts/lib/Either.js'
import type { Outcome } from '../compose/failure.ts'
import { conclude } from './outcome.ts'
import { print, printable, printJson } from './output.ts'
import { example, type Command, type Globals } from './program.ts'
import { deviceSettings } from './settings.ts'

interface Options extends Globals {
  readonly json?: boolean
}

const WHAT = `
Where two devices changed one file, the version that came second is kept beside it as "name (conflict DEVICE DATE TIME).ext".
To keep both for good, give the copy another name.`

/** `eventsync conflicts`: lists and settles conflict copies. */
export const conflicts = (program: Command): void => {
  const parent = program
    .command('conflicts')
    .description('files that two devices changed at once: list, settle')
    .addHelpText('after', example('$ eventsync conflicts', '$ eventsync conflicts keep-theirs --help'))
  parent
    .command('list', { isDefault: true })
    .description('list the conflict copies')
    .argument('[folder]', 'the folder (default: all that this device syncs)')
    .option('--json', 'print one JSON object a line')
    .addHelpText(
      'after',
      `${example('$ eventsync conflicts', '$ eventsync conflicts keep-mine ~/Sync/"plan (conflict laptop 2026-11-23 101500).txt"')}\n${WHAT}`,
    )
    .action(async (folder: string | undefined, _: Options, command: Command) =>
      conclude(await list(folder, command.optsWithGlobals<Options>())),
    )
  const settle = (keep: 'keep-mine' | 'keep-theirs', description: string): void => {
    parent
      .command(keep)
      .description(description)
      .argument('<path>', 'the conflict copy')
      .addHelpText('after', example(`$ eventsync conflicts ${keep} ~/Sync/"plan (conflict laptop 2026-11-23 101500).txt"`))
      .action(async (path: string, _: Options, command: Command) =>
        conclude(await settleOne(path, keep, command.optsWithGlobals<Options>())),
      )
  }
  settle('keep-mine', 'put the conflict copy in place of the file')
  settle('keep-theirs', 'keep the file as it is, and remove the conflict copy')
}

const list = async (wanted: string | undefined, options: Options): Promise<Outcome> => {
  const device = deviceSettings(options)
  if (E.isLeft(device)) return device
  const compose = await import('../compose.ts')
  const { conflictsIn } = await compose.conflicts()
  const folders = (await compose.folders()).foldersOf(device.right.state, wanted)
  if (E.isLeft(folders)) return folders
  for (const folder of folders.right) {
    const found = await conflictsIn(folder)
    if (E.isLeft(found)) return found
    for (const conflict of found.right) {
      if (options.json === true) printJson(conflict)
      else print(`${printable(`${conflict.folder}/${conflict.copy}`)}\n  is another version of ${printable(conflict.path)}`)
    }
    if (found.right.length === 0 && options.json !== true) print(`${printable(folder.path)}: no conflicts`)
  }
  return E.right(undefined)
}

const settleOne = async (path: string, keep: 'keep-mine' | 'keep-theirs', options: Options): Promise<Outcome> => {
  const device = deviceSettings(options)
  if (E.isLeft(device)) return device
  const { findCopy, settleConflict } = await (await import('../compose.ts')).conflicts()
  return E.Monad.chain(findCopy(device.right.state, path), (copy) =>
    E.Monad.map(settleConflict(copy, keep), () =>
      print(keep === 'keep-mine' ? `${printable(copy.path)} has the copy's content now.` : `${printable(copy.copy)} is removed.`),
    ),
  )
}
