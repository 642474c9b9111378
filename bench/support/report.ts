import { limitOf, median, passes, type Measure } from './measure.ts'

export const number = (value: number): string => {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

const barOf = (measure: Measure): string => {
  const { bar, unit, floor = [] } = measure
  const limit = limitOf(measure)
  if (bar === undefined || limit === undefined) return ''
  if ('timesFloor' in bar) return `<= ${bar.timesFloor} x cp (${number(median(floor))} s) = ${number(limit)} s`
  return `${'atLeast' in bar ? '>=' : '<='} ${number(limit)} ${unit}`
}

const measuredOf = ({ values, unit, floor = [], bar }: Measure): string => {
  const value = `${number(median(values))} ${unit}`
  return bar !== undefined && 'timesFloor' in bar ? `${value} (${(median(values) / median(floor)).toFixed(1)} x cp)` : value
}

const spreadOf = ({ values }: Measure): string =>
  values.length < 2 ? '' : `${number(Math.min(...values))} - ${number(Math.max(...values))}`

const verdictOf = (measure: Measure): string => {
  const passed = passes(measure)
  if (passed === undefined) return ''
  return passed ? 'pass' : 'MISS'
}

/** The measures as a table in Markdown. */
export const tableOf = (measures: readonly Measure[]): string => {
  const rows = [
    ['workload', 'median', 'lowest - highest', 'bar', '', 'of which'],
    ...measures.map((measure) => [
      measure.name,
      measuredOf(measure),
      spreadOf(measure),
      barOf(measure),
      verdictOf(measure),
      measure.note ?? '',
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)].join('\n')
}
