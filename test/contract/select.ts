/**
 * The adapters of a port that a run tests: all of its registry, or those that the environment variable names, separated by commas.
 * An unknown name, or a variable that names none, throws: nothing passes by running nothing.
 */
export const selectAdapters = <A>(
  registry: Readonly<Record<string, A>>,
  variable: string,
  environment: NodeJS.ProcessEnv = process.env,
): readonly (readonly [name: string, adapter: A])[] => {
  const named = environment[variable]
  const names =
    named === undefined
      ? Object.keys(registry)
      : named
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '')
  if (names.length === 0) throw new Error(`${variable} names no adapter`)
  return names.map((name) => {
    const adapter = Object.hasOwn(registry, name) ? registry[name] : undefined
    if (adapter === undefined) throw new Error(`${variable} names "${name}"; there are: ${Object.keys(registry).join(', ')}`)
    return [name, adapter]
  })
}
