import { styleText } from 'node:util'
import type { FolderReport } from '../../compose/agent.ts'
import { print } from '../output.ts'
import { reportLine } from '../report-lines.ts'
import { DEVICES, shown, type DeviceName, type Place } from './place.ts'

const WIDTH = Math.max(...DEVICES.map((device) => device.length))
const COLOUR = { laptop: 'cyan', desktop: 'magenta' } as const

/** A line that says whose it is. */
export const say = (device: DeviceName, text: string): void => print(`  ${styleText(COLOUR[device], device.padEnd(WIDTH))}  ${text}`)

/** A line of an agent's `--json` output; what is not one is shown as it is. */
export const parseReport = (line: string): FolderReport | undefined => {
  try {
    const { event, ...fields } = JSON.parse(line) as { readonly event: string }
    // Written by this same program's jsonReporter.
    return { tag: event, ...fields } as FolderReport
  } catch {
    return undefined
  }
}

/** Prints what happens on a device, leaving out what a newcomer has no use for. */
export const tell = (device: DeviceName, line: string): void => {
  const report = parseReport(line)
  if (report === undefined) return say(device, line)
  if (report.tag === 'inSync' || report.tag === 'connected' || report.tag === 'progress' || report.tag === 'note') return
  say(device, reportLine(report))
}

export const introduce = (place: Place, port: number): void => {
  print('EventSync: two devices, kept in sync through a gateway. Each has its own process.\n')
  for (const device of DEVICES) say(device, shown(place.folder(device)))
  print(`\n  gateway  ws://127.0.0.1:${port}  (look at http://127.0.0.1:${port}/metrics)\n\nWhat happens, as it happens:\n`)
}

export const suggest = (place: Place): void => {
  const laptop = shown(place.folder('laptop'))
  const desktop = shown(place.folder('desktop'))
  print(`
Both are in sync. What to try next, in another terminal:

  echo hello > ${laptop}/hello.txt && sleep 1 && cat ${desktop}/hello.txt
  mv ${desktop}/hello.txt ${desktop}/renamed.txt && sleep 1 && ls ${laptop}
  bin/eventsync status --state ${shown(place.state('laptop'))}
  bin/eventsync agents --state ${shown(place.state('laptop'))}

Ctrl-C stops all of it; starting it again goes on where it was. To begin anew, delete ${shown(place.folder('laptop')).replace(/\/?laptop$/, '') || '.'}.
`)
}
