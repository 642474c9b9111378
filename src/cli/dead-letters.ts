import * as E from 'fp-ts/lib/Either.js'
import type { DeadLetter, Resent, Shown, Verdict } from '../compose/dead-letters.ts'
import { fail, fromConfig, type Outcome } from '../compose/failure.ts'
import { brokerConfig } from '../config.ts'
import { conclude } from './outcome.ts'
import { bytesText, count, print, printable, printJson, printTable, remark } from './output.ts'
import { atLeastOne, example, type Command, type Globals } from './program.ts'
import { settingsOf } from './settings.ts'

interface Options extends Globals {
  readonly json?: boolean
  readonly all?: boolean
  readonly yes?: boolean
  readonly limit?: number
}

const WHY = `
A dead letter is a message that no gateway may answer (it names no sender, or somebody else as the receiver of its answer), or that was
delivered again and again without an answer. EVENTSYNC_AMQP_URL (or …_FILE, or --config) is the gateways' own address of the broker.`

/** `eventsync dead-letters`: the messages at the broker that nobody answered. */
export const deadLetters = (program: Command): void => {
  const parent = program
    .command('dead-letters')
    .description('the messages at the broker that no gateway answered: list, show, resend, drop')
  parent
    .command('list', { isDefault: true })
    .description('list them, the oldest first; each stays where it is')
    .option('--limit <number>', 'at most so many', atLeastOne)
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', `${example('$ eventsync dead-letters', '$ eventsync dead-letters list --limit 20 --json')}\n${WHY}`)
    .action(async (_: Options, command: Command) => conclude(await list(command.optsWithGlobals<Options>())))
  parent
    .command('show')
    .description('show all that is known of one, without passwords')
    .argument('<id>', 'as the list shows it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', example('$ eventsync dead-letters show 3f0c2a9b71de'))
    .action(async (id: string, _: Options, command: Command) => conclude(await show(id, command.optsWithGlobals<Options>())))
  parent
    .command('resend')
    .description('send them again as they are; one that a gateway has done, or that waits in its queue, is no dead letter any more')
    .argument('[id...]', 'as the list shows them')
    .option('--all', 'all that may be sent again')
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', example('$ eventsync dead-letters resend 3f0c2a9b71de', '$ eventsync dead-letters resend --all'))
    .action(async (ids: readonly string[], _: Options, command: Command) => conclude(await resend(ids, command.optsWithGlobals<Options>())))
  parent
    .command('drop')
    .description('throw them away, for good')
    .argument('[id...]', 'as the list shows them')
    .option('--all', 'all that are there')
    .option('--yes', 'yes, for good')
    .option('--json', 'print one JSON object')
    .addHelpText('after', example('$ eventsync dead-letters drop 3f0c2a9b71de --yes'))
    .action(async (ids: readonly string[], _: Options, command: Command) => conclude(await drop(ids, command.optsWithGlobals<Options>())))
}

const walk = async (options: Options, visit: (letter: Shown) => Promise<Verdict>): Promise<Outcome> => {
  const config = E.Monad.chain(settingsOf(options), (settings) => fromConfig(brokerConfig(settings)))
  if (E.isLeft(config)) return config
  const { walkDeadLetters } = await (await import('../compose.ts')).deadLetters()
  return walkDeadLetters(config.right, visit)
}

const summaryOf = ({ id, time, reason, queue, sender, action, bytes }: DeadLetter) => ({ id, time, reason, queue, sender, action, bytes })

const list = async (options: Options): Promise<Outcome> => {
  const { limit = Number.MAX_SAFE_INTEGER, json } = options
  const found: ReturnType<typeof summaryOf>[] = []
  const walked = await walk(options, async (letter) => {
    found.push(summaryOf(letter))
    return {}
  })
  if (E.isLeft(walked)) return walked
  // A reader that is killed leaves the queue turned.
  found.sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))
  found.splice(limit)
  if (json === true) for (const letter of found) printJson(letter)
  else if (found.length === 0) print('There are no dead letters.')
  else
    printTable([
      ['ID', 'SET ASIDE', 'QUEUE', 'SENDER', 'ASKS FOR', 'SIZE', 'WHY'],
      ...found.map(({ id, time, queue, sender, action, bytes, reason }) =>
        [id, time, queue, sender, action, bytesText(bytes), reason].map((cell) => printable(cell === '' ? '-' : cell)),
      ),
    ])
  return walked
}

const show = async (id: string, options: Options): Promise<Outcome> => {
  let found: DeadLetter | undefined
  const walked = await walk(options, async (letter) => {
    if (letter.id !== id) return {}
    found = letter
    return { last: true }
  })
  if (E.isLeft(walked)) return walked
  if (found === undefined) return unknown([id])
  const { id: own, time, reason, queue, sender, replyTo, contentType, bytes, action, message } = found
  const fields = { id: own, time, reason, queue, sender, replyTo, contentType, bytes, action }
  if (options.json === true) printJson({ ...fields, message: message ?? null })
  else {
    for (const [name, value] of Object.entries(fields)) print(printable(`${`${name}:`.padEnd(13)}${value === '' ? '-' : String(value)}`))
    print(message === undefined ? 'message:     it cannot be read' : `message:     ${JSON.stringify(message, null, 2)}`)
  }
  return walked
}

/** Which letters a person means: by their ids, each of which is struck off once it was met, or all. */
const wantedOf = (ids: readonly string[], { all }: Options): Outcome<Set<string> | undefined> => {
  if (all === true && ids.length === 0) return E.right(undefined)
  return ids.length > 0 && all !== true ? E.right(new Set(ids)) : fail('usage', 'name the letters by their ids, or say --all')
}

const unknown = (ids: readonly string[]): Outcome<never> =>
  fail('failed', `there is no dead letter ${ids.join(', ')}: 'eventsync dead-letters' lists them`)

const resend = async (ids: readonly string[], options: Options): Promise<Outcome> => {
  const wanted = wantedOf(ids, options)
  if (E.isLeft(wanted)) return wanted
  const sought = wanted.right
  let stayed = 0
  const walked = await walk(options, async (letter) => {
    if (sought?.delete(letter.id) === false) return {}
    const resent = await letter.resend()
    const remove = resent.tag === 'waiting' || (resent.tag === 'answered' && resent.status === 200)
    if (!remove) stayed += 1
    if (options.json === true) printJson({ id: letter.id, removed: remove, ...resent })
    else print(printable(`${letter.id}: ${wordsOf(resent)}`))
    return { remove, last: sought?.size === 0 }
  })
  if (E.isLeft(walked)) return walked
  if (sought !== undefined && sought.size > 0) return unknown([...sought])
  return stayed === 0 ? walked : fail('failed', `${count(stayed, 'letter')} stay${stayed === 1 ? 's' : ''} among the dead letters`)
}

const wordsOf = (resent: Resent): string => {
  switch (resent.tag) {
    case 'notSent':
      return `not sent again: ${resent.reason}`
    case 'waiting':
      return 'it waits in its queue again; no gateway has answered yet'
    case 'answered':
      if (resent.status === 200) return 'done'
      if (resent.status === 100)
        return 'it names contents that the gateway does not have: its device sends them, with the message, by itself'
      return `a gateway answered ${resent.status}: ${resent.reason}`
  }
}

const drop = async (ids: readonly string[], options: Options): Promise<Outcome> => {
  const wanted = wantedOf(ids, options)
  if (E.isLeft(wanted)) return wanted
  if (options.yes !== true) return fail('usage', 'nothing was dropped: it would be for good, so say --yes')
  const sought = wanted.right
  let dropped = 0
  const walked = await walk(options, async ({ id }) => {
    if (sought?.delete(id) === false) return {}
    dropped += 1
    return { remove: true, last: sought?.size === 0 }
  })
  if (E.isLeft(walked)) return walked
  if (options.json === true) printJson({ dropped })
  else remark(`eventsync: ${count(dropped, 'letter')} dropped`)
  return sought !== undefined && sought.size > 0 ? unknown([...sought]) : walked
}
