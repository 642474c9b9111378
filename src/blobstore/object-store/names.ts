const NAME = /^[a-z0-9-][a-z0-9.-]*(\/[a-z0-9-][a-z0-9.-]*)*$/
const PREFIX = /^([a-z0-9-][a-z0-9.-]*\/)*([a-z0-9-][a-z0-9.-]*)?$/

/** Names are made by the program, never taken from a message: a bad one is a mistake in it, and throws. No part starts with a dot (I11). */
export const checkName = (name: string): void => {
  if (!NAME.test(name)) throw new RangeError(`not a name of an object: ${JSON.stringify(name)}`)
}

export const checkPrefix = (prefix: string): void => {
  if (!PREFIX.test(prefix)) throw new RangeError(`not a prefix of objects' names: ${JSON.stringify(prefix)}`)
}
