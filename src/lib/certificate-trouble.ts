/** What Node says (by code or text, which others quote), and what it means. `%` stands for the setting that names an authority. */
const TROUBLES: readonly (readonly [RegExp, string])[] = [
  [/certificate has expired|CERT_HAS_EXPIRED/i, 'its certificate has expired, and has to be renewed there'],
  [/certificate is not yet valid|CERT_NOT_YET_VALID/i, "its certificate is not valid yet: compare this machine's clock with its own"],
  [/altnames|ALTNAME_INVALID/i, 'its certificate is for other names: reach it by one of those'],
  [
    /self[-_ ]signed|unable to (?:verify|get)|UNABLE_TO_(?:VERIFY|GET)/i,
    'this machine does not know the authority that signed its certificate: name its file in %',
  ],
  [/wrong version number|WRONG_VERSION_NUMBER|packet length too long/i, 'it speaks no TLS at this port'],
]

/** In words for a person, why a server's certificate was not accepted; undefined where it is something else that failed. */
export const certificateTrouble = (said: string, setting: string): string | undefined =>
  TROUBLES.find(([pattern]) => pattern.test(said))?.[1].replace('%', setting)
