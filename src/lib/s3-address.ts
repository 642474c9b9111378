/** An S3 server's bucket, and as whom to come: `s3+http://KEY:SECRET@HOST:PORT/BUCKET?region=R`. */
export interface S3Address {
  readonly tag: 's3'
  readonly secure: boolean
  readonly host: string
  /** The scheme's own where it is left out. */
  readonly port?: number
  readonly bucket: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  readonly sessionToken?: string
  /** `http://host/bucket/name` (most servers), or `http://bucket.host/name`. */
  readonly pathStyle: boolean
}

/** What an address that holds secrets must look like; said instead of the address itself. */
export const S3_FORM =
  's3+http://KEY:SECRET@HOST:PORT/BUCKET?region=REGION (or s3+https://…; also &style=virtual, &token=SESSION-TOKEN; %-encode signs such as / in the secret)'

const SCHEMES: Readonly<Record<string, boolean>> = { 's3+http:': false, 's3+https:': true }
/** S3's own rule for new buckets. */
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PARAMETERS = new Set(['region', 'style', 'token'])

const parsed = (text: string): URL | undefined => {
  const url = URL.parse(text)
  return url === null || url.hash !== '' ? undefined : url
}

const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

export const s3Address = (text: string): S3Address | undefined => {
  const url = parsed(text)
  const secure = url === undefined ? undefined : SCHEMES[url.protocol]
  if (url === undefined || secure === undefined) return undefined
  const [accessKey, secretKey] = [decoded(url.username), decoded(url.password)]
  const bucket = url.pathname.replace(/^\//, '').replace(/\/$/, '')
  const style = url.searchParams.get('style') ?? 'path'
  const token = url.searchParams.get('token')
  const known = [...url.searchParams.keys()].every((name) => PARAMETERS.has(name)) && (style === 'path' || style === 'virtual')
  if (!known || !BUCKET.test(bucket) || url.hostname === '' || (accessKey ?? '') === '' || (secretKey ?? '') === '') return undefined
  return {
    tag: 's3',
    secure,
    host: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    bucket,
    region: url.searchParams.get('region') ?? 'us-east-1',
    accessKey: accessKey ?? '',
    secretKey: secretKey ?? '',
    ...(token === null ? {} : { sessionToken: token }),
    pathStyle: style === 'path',
  }
}
