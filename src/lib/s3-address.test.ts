import { expect, test } from 'vitest'
import { s3Address } from './s3-address.ts'

test('an address names the server, the bucket, and as whom to come', () => {
  expect(s3Address('s3+http://KEY:SECRET@127.0.0.1:9000/eventsync?region=eu-1')).toEqual({
    tag: 's3',
    secure: false,
    host: '127.0.0.1',
    port: 9000,
    bucket: 'eventsync',
    region: 'eu-1',
    accessKey: 'KEY',
    secretKey: 'SECRET',
    pathStyle: true,
  })
})

test('what is not said has a default: the port of the scheme, the region us-east-1, names in the path', () => {
  const address = s3Address('s3+https://KEY:SECRET@s3.example.org/event-sync')
  expect(address).toMatchObject({ secure: true, host: 's3.example.org', region: 'us-east-1', pathStyle: true })
  expect(address).not.toHaveProperty('port')
})

test('signs that an address has a meaning for are %-encoded in the key and the secret', () => {
  expect(s3Address('s3+http://a%40b:c%2Fd%3Ae@h/bucket')).toMatchObject({ accessKey: 'a@b', secretKey: 'c/d:e' })
})

test('a bucket in the host name, and a session token', () => {
  expect(s3Address('s3+https://k:s@h/bucket?style=virtual&token=a%2Bb')).toMatchObject({ pathStyle: false, sessionToken: 'a+b' })
})

test.each([
  'http://k:s@h/bucket',
  's3+http://h/bucket',
  's3+http://k@h/bucket',
  's3+http://k:s@h',
  's3+http://k:s@h/a/b',
  's3+http://k:s@h/ab',
  's3+http://k:s@h/Bucket',
  's3+http://k:s@h/bucket?regoin=x',
  's3+http://k:s@h/bucket?style=other',
  's3+http://k:%zz@h/bucket',
  'not an address',
])('%s is refused', (text) => expect(s3Address(text)).toBeUndefined())
