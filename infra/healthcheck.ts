// Exits 0 when the gateway of this container takes requests.
import { get as getPlain } from 'node:http'
import { get as getSecure } from 'node:https'

const port = /(\d+)$/.exec(process.env['EVENTSYNC_LISTEN'] ?? '4750')?.[1] ?? '4750'
const secure = (process.env['EVENTSYNC_TLS_CERT'] ?? '') !== ''
const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}/readyz`
// It asks itself, over loopback: the certificate is for the names that devices use.
const request = (secure ? getSecure : getPlain)(url, { rejectUnauthorized: false, timeout: 4000 }, (response) => {
  response.resume()
  process.exitCode = response.statusCode === 200 ? 0 : 1
})
request.on('timeout', () => request.destroy(new Error('no answer')))
request.on('error', () => (process.exitCode = 1))
