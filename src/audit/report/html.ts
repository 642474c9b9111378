import type { Stretch, Tally } from './summary.ts'

/** A report, in words and numbers that need nothing else. */
export interface Report {
  readonly folder: string
  readonly owner: string
  readonly from: number
  readonly to: number
  readonly firstPosition: number
  readonly lastPosition: number
  readonly made: number
  readonly total: Tally
  readonly senders: readonly { readonly name: string; readonly account: string; readonly tally: Tally }[]
  readonly stretches: readonly Stretch[]
  /** Of the account that the folder belongs to. */
  readonly signInsRefused: number
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\p{Cc}/gu, '\uFFFD')

const moment = (time: number): string => `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`

const KINDS = [
  { key: 'created', label: 'created', color: '#2a7f62' },
  { key: 'updated', label: 'updated', color: '#3b6fb6' },
  { key: 'moved', label: 'moved', color: '#8d6fb0' },
  { key: 'deleted', label: 'deleted', color: '#b5483a' },
] as const

const COLUMNS = [
  ['created', 'Created'],
  ['updated', 'Updated'],
  ['moved', 'Moved'],
  ['deleted', 'Deleted'],
  ['conflicts', 'Conflicts'],
  ['held', 'Deletions held'],
  ['approved', 'approved'],
  ['bytes', 'Bytes'],
] as const satisfies readonly (readonly [keyof Tally, string])[]

const number = (value: number): string => value.toLocaleString('en-US').replaceAll(',', ' ')

const cells = (tally: Tally): string => COLUMNS.map(([key]) => `<td>${number(tally[key])}</td>`).join('')

const CHART = { width: 960, height: 220, foot: 24 }

const sumOf = (tally: Tally): number => KINDS.reduce((sum, { key }) => sum + tally[key], 0)

/** Bars over time, one on the other by kind of change. */
const timeline = (stretches: readonly Stretch[]): string => {
  const most = Math.max(1, ...stretches.map(({ tally }) => sumOf(tally)))
  const step = CHART.width / stretches.length
  const scale = (CHART.height - CHART.foot) / most
  const bars = stretches.map(({ from, tally }, at) => {
    let y = CHART.height - CHART.foot
    const parts = KINDS.map(({ key, color }) => {
      const height = tally[key] * scale
      y -= height
      return height === 0
        ? ''
        : `<rect x="${(at * step).toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${height.toFixed(1)}" fill="${color}"/>`
    })
    return `<g><title>${moment(from)}: ${KINDS.map(({ key, label }) => `${tally[key]} ${label}`).join(', ')}</title>${parts.join('')}</g>`
  })
  const [first, last] = [stretches[0], stretches.at(-1)]
  const ends = `<text x="0" y="${CHART.height - 6}">${moment(first?.from ?? 0)}</text><text x="${CHART.width}" y="${CHART.height - 6}" text-anchor="end">${moment(last?.from ?? 0)}</text>`
  return `<svg viewBox="0 0 ${CHART.width} ${CHART.height}" role="img" aria-label="Changes over time, at most ${most} at once"><text x="0" y="12">${number(most)}</text>${bars.join('')}${ends}</svg>`
}

/** One bar a sender. */
const shares = (senders: Report['senders']): string => {
  const most = Math.max(1, ...senders.map(({ tally }) => sumOf(tally)))
  const rows = senders.map(({ name, tally }, at) => {
    const width = (sumOf(tally) / most) * 640
    const y = at * 26
    return `<text x="0" y="${y + 16}">${escaped(name)}</text><rect x="220" y="${y + 4}" width="${width.toFixed(1)}" height="16" fill="#3b6fb6"/><text x="${(228 + width).toFixed(1)}" y="${y + 16}">${number(sumOf(tally))}</text>`
  })
  return `<svg viewBox="0 0 960 ${Math.max(26, senders.length * 26)}" role="img" aria-label="Changes by device">${rows.join('')}</svg>`
}

const STYLE = `
  body { font: 14px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  p.of { color: #555; margin-top: .2rem; } svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: #444; }
  table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
  th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; overflow-wrap: anywhere; } tfoot td { font-weight: 600; }
  .key span { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; } footer { margin-top: 2rem; color: #555; }
  @media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr, svg { break-inside: avoid; } }`

/** One page that needs nothing beside itself: no script, no font, no picture from elsewhere. */
export const reportPage = (report: Report): string => {
  const title = `${report.owner}: ${report.folder}`
  const head = COLUMNS.map(([, label]) => `<th>${label}</th>`).join('')
  const rows = report.senders.map(
    ({ name, account, tally }) => `<tr><td>${escaped(name)}</td><td>${escaped(account)}</td>${cells(tally)}</tr>`,
  )
  const key = KINDS.map(({ label, color }) => `<span style="background:${color}"></span>${label}`).join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="of">${moment(report.from)} to ${moment(report.to)}, positions ${report.firstPosition} to ${report.lastPosition}</p>
<h2>Changes over time</h2><p class="key">${key}</p>${timeline(report.stretches)}
<h2>Changes by device</h2>${shares(report.senders)}
<h2>Numbers</h2>
<table><thead><tr><th>Device</th><th>Account</th>${head}</tr></thead><tbody>${rows.join('')}</tbody>
<tfoot><tr><td>All</td><td></td>${cells(report.total)}</tr></tfoot></table>
<p>Sign-ins to the account that were refused: ${number(report.signInsRefused)}.</p>
<footer>Made from the event log at ${moment(report.made)}. Whether that log is whole: eventsync audit verify.</footer>
</body></html>
`
}
