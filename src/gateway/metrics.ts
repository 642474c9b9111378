import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { GatewayMetrics } from './deps.ts'

/** The gateway's numbers in Prometheus' form. */
export interface PrometheusMetrics extends GatewayMetrics {
  readonly contentType: string
  readonly text: () => Promise<string>
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5]
const SIZES = [1, 4, 16, 64, 256, 1024, 4096]

export const createMetrics = (): PrometheusMetrics => {
  const register = new Registry()
  const registers = [register]
  collectDefaultMetrics({ register })
  const requests = new Counter({ name: 'eventsync_requests_total', help: 'Requests answered', labelNames: ['action', 'status'], registers })
  const seconds = new Histogram({
    name: 'eventsync_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['action'],
    buckets: SECONDS,
    registers,
  })
  const commits = new Histogram({ name: 'eventsync_commit_seconds', help: 'Time of one group commit', buckets: SECONDS, registers })
  const messages = new Histogram({ name: 'eventsync_commit_messages', help: 'Messages of one group commit', buckets: SIZES, registers })
  const events = new Counter({ name: 'eventsync_events_total', help: 'Events appended to folders', registers })
  const chunks = new Counter({ name: 'eventsync_stored_chunks_total', help: 'Chunks taken in', registers })
  const bytes = new Counter({ name: 'eventsync_stored_bytes_total', help: 'Bytes of chunks taken in', registers })
  return {
    contentType: register.contentType,
    text: () => register.metrics(),
    request: (action, status, took) => {
      requests.inc({ action, status })
      seconds.observe({ action }, took)
    },
    commit: (count, appended, took) => {
      commits.observe(took)
      messages.observe(count)
      events.inc(appended)
    },
    stored: (count, size) => {
      chunks.inc(count)
      bytes.inc(size)
    },
  }
}
