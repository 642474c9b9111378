import http from 'node:http'
import https from 'node:https'
import { buffer } from 'node:stream/consumers'
import { Client } from 'minio'
import type { S3Address } from '../../lib/s3-address.ts'

/** Where the objects are, and as whom we come. */
export interface S3Options extends Omit<S3Address, 'tag'> {
  /** A connection on which nothing moves for so many milliseconds is given up; 30 s where it is left out. */
  readonly silentMs?: number
}

/** Connections to the server, kept open between requests. */
const MAX_SOCKETS = 32
const SILENT_MS = 30_000

export interface StoredObject {
  readonly name: string
  readonly size: number
}

/** The requests that the store needs, each failing with the client's own error. Nothing here is tried again. */
export interface S3Client {
  makeBucket(): Promise<void>
  put(name: string, bytes: Buffer): Promise<void>
  get(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Buffer>
  size(name: string): Promise<number>
  list(prefix: string): AsyncIterable<StoredObject>
  remove(name: string): Promise<void>
  close(): void
}

/**
 * The client has no time limit of its own, and leaves an answer of 5xx unread, whose connection would then never be free again: both are
 * put right where its requests are made.
 */
const transportOf = ({ secure, silentMs = SILENT_MS }: S3Options): Pick<typeof http, 'request'> => {
  const ask = (options: http.RequestOptions, answered: (response: http.IncomingMessage) => void): http.ClientRequest => {
    const request = (secure ? https : http).request(options, (response) => {
      if ((response.statusCode ?? 0) >= 500 && response.statusCode !== 507) response.resume()
      answered(response)
    })
    const late = (): void => void request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    return request.setTimeout(silentMs, late)
  }
  // The client calls it in this one of its forms only.
  return { request: ask as typeof http.request }
}

const isOurs = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'BucketAlreadyOwnedByYou' || error.code === 'BucketAlreadyExists')

async function* listed(client: Client, bucket: string, prefix: string): AsyncGenerator<StoredObject> {
  for await (const item of client.listObjectsV2(bucket, prefix, true)) {
    // A stream's items have no type of their own; an item with a name is an object, the others are prefixes.
    const { name, size } = item as { readonly name?: string; readonly size: number }
    if (name !== undefined) yield { name, size }
  }
}

/** The one place that knows the `minio` package. Uploads carry a digest that the server checks (MD5; SHA-256 too over plain http). */
export const createS3Client = (options: S3Options): S3Client => {
  const { bucket, region, secure } = options
  const agentOptions = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS, scheduling: 'lifo' } as const
  const agent = secure ? new https.Agent(agentOptions) : new http.Agent(agentOptions)
  const client = new Client({
    endPoint: options.host,
    ...(options.port === undefined ? {} : { port: options.port }),
    useSSL: secure,
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    ...(options.sessionToken === undefined ? {} : { sessionToken: options.sessionToken }),
    region,
    pathStyle: options.pathStyle,
    transport: transportOf(options),
    transportAgent: agent,
    retryOptions: { disableRetry: true },
  })
  return {
    makeBucket: async () => {
      if (await client.bucketExists(bucket)) return
      await client.makeBucket(bucket, region).catch((error: unknown) => {
        if (!isOurs(error)) throw error
      })
    },
    put: async (name, bytes) => void (await client.putObject(bucket, name, bytes, bytes.length)),
    get: async (name, range) =>
      buffer(
        range === undefined
          ? await client.getObject(bucket, name)
          : await client.getPartialObject(bucket, name, range.offset, range.length),
      ),
    size: async (name) => (await client.statObject(bucket, name)).size,
    list: (prefix) => listed(client, bucket, prefix),
    remove: (name) => client.removeObject(bucket, name),
    close: () => agent.destroy(),
  }
}
