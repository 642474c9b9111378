import { expect, test } from 'vitest'
import { certificateTrouble } from './certificate-trouble.ts'

test.each([
  ['certificate has expired', /has expired/],
  ['14 UNAVAILABLE: No connection established. Last error: unable to verify the first certificate.', /authority .* name its file in HERE$/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /authority/],
  ["Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list", /other names/],
  ['CERT_NOT_YET_VALID', /clock/],
])('%s', (said, told) => {
  expect(certificateTrouble(said, 'HERE')).toMatch(told)
})

test('what is no trouble with a certificate', () => {
  for (const said of ['', 'ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5671']) expect(certificateTrouble(said, 'HERE')).toBeUndefined()
})
