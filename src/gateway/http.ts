import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

export interface HttpParts {
  /** Whether the gateway takes requests. */
  readonly ready: () => boolean
  readonly metrics: { readonly contentType: string; readonly text: () => Promise<string> }
}

/** What the gateway's port answers beside WebSocket: is it alive, does it take requests, its numbers. */
export const createHttpHandler =
  (parts: HttpParts): RequestListener =>
  (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'only GET is answered here')
    answer(parts, request, response).catch(() => end(response, 500, 'failed'))
  }

const answer = async ({ ready, metrics }: HttpParts, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  switch (request.url?.split('?')[0]) {
    case '/healthz':
      return end(response, 200, 'ok')
    case '/readyz':
      return ready() ? end(response, 200, 'ready') : end(response, 503, 'not ready')
    case '/metrics':
      return end(response, 200, await metrics.text(), metrics.contentType)
    default:
      return end(response, 404, 'not found')
  }
}

const end = (response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'no-store' })
  response.end(body)
}
