import { readFileSync } from 'node:fs'

/** What is used here of the report that `vitest --reporter=json` writes. */
type Report = {
  readonly numPassedTests: number
  readonly numTotalTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

/**
 * Prints `passed failed` for a report. A test that did not pass has failed, whether it was skipped, left as a plan, or broke;
 * a file that broke before its first test counts as one.
 */
const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: count-tests.ts REPORT.json')
// vitest's own output; a report of another form prints NaN, which the caller takes for a failure
const report = JSON.parse(readFileSync(file, 'utf8')) as Report
const brokenFiles = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
process.stdout.write(`${report.numPassedTests} ${report.numTotalTests - report.numPassedTests + brokenFiles.length}\n`)
