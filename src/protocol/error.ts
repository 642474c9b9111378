/** A message that is not of the expected form. `field` is its place (`Changes[3].File.Size`); `reason` never repeats the value. */
export type ProtocolError = { readonly tag: 'BadMessage'; readonly field: string; readonly reason: string }
