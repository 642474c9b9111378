import { FOLDERS, LAYERS, SQLITE_FILES, VENDORS, type Layer } from './layers.ts'

type Pattern = { regex?: string; group?: string[]; message: string; allowTypeImports?: boolean }
type Override = { files: string[]; excludeFiles: string[]; rules: { 'no-restricted-imports': ['error', { patterns: Pattern[] }] } }

const TESTS = 'src/**/*.test.ts'
const alternatives = (names: readonly string[]): string => names.map((name) => name.replaceAll('.', '\\.')).join('|')

/** The folders that a row names in its own globs: `src/agent/**` is `agent`, `src/agent/disk/**` too. */
const ownFolders = (layer: Layer): string[] => layer.files.map((glob) => glob.split('/')[1]?.replace('.ts', '') ?? '')

/** A port's row stands for one file: its folder's adapters are not its own. */
const isPort = (layer: Layer): boolean => layer.files.every((glob) => glob.endsWith('/port.ts'))

/** Modules right under `src` reach the folders by `./`, all others by `../`. */
const isTopLevel = (layer: Layer): boolean => layer.files.some((glob) => /^src\/\w+\.ts$/.test(glob))

const otherFolders = (layer: Layer): Pattern[] => {
  const known = new Set([...layer.may, ...(layer.ports ?? []), ...(layer.types ?? []), ...ownFolders(layer)])
  const forbidden = FOLDERS.filter((folder) => !known.has(folder))
  const up = isTopLevel(layer) ? '(\\.\\.?/)+' : '(\\.\\./)+'
  return [{ regex: `^${up}(${alternatives(forbidden)})(/|\\.ts$)`, message: 'This layer may not know that one (lint/layers.ts).' }]
}

const adaptersOf = (layer: Layer): Pattern[] =>
  layer.ports === undefined
    ? []
    : [{ group: [...layer.ports.map((folder) => `**/${folder}/**`), '!**/port.ts'], message: 'Only the port: compose names the adapters.' }]

const typesOnly = (layer: Layer): Pattern[] =>
  layer.types === undefined
    ? []
    : [{ regex: `^(\\.\\./)+(${alternatives(layer.types)})/`, allowTypeImports: true, message: 'Only its types.' }]

/** A port says what its adapters promise: it imports none of them. */
const noSiblings = (layer: Layer): Pattern[] => (isPort(layer) ? [{ regex: '^\\./', message: 'A port stands alone in its folder.' }] : [])

const nodeModules = (layer: Layer, file: string | undefined): Pattern[] => {
  if (layer.node !== 'all') {
    const allowed = layer.node.map((name) => `!node:${name}`)
    return [{ group: ['node:*', 'node:*/**', ...allowed], message: 'This layer does no I/O.' }]
  }
  if (file !== undefined && SQLITE_FILES.includes(file)) return []
  return [{ regex: '^node:sqlite$', allowTypeImports: true, message: `Databases are opened by ${SQLITE_FILES[0]}.` }]
}

const vendors = (file: string | undefined): Pattern => {
  const elsewhere = Object.keys(VENDORS).filter((name) => VENDORS[name] !== file)
  return {
    regex: `^(${alternatives([...elsewhere, 'vitest', 'fast-check'])})(/|$)`,
    message: 'Each vendor package has its one file (lint/layers.ts).',
  }
}

/** Its index loads all of its 130 modules, in each process and each worker thread. */
const WHOLE_FP_TS: Pattern = { regex: '^fp-ts$', message: "By its module: import * as E from 'fp-ts/lib/Either.js'." }

const restriction = (layer: Layer, files: readonly string[], file?: string): Override => ({
  files: [...files],
  excludeFiles: [...(layer.except ?? []), ...(isPort(layer) ? [] : [TESTS])],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...otherFolders(layer),
          ...typesOnly(layer),
          ...noSiblings(layer),
          ...nodeModules(layer, file),
          vendors(file),
          WHOLE_FP_TS,
          ...adaptersOf(layer),
        ],
      },
    ],
  },
})

const matches = (layer: Layer, file: string): boolean => {
  const covers = (glob: string): boolean => (glob.endsWith('/**') ? file.startsWith(glob.slice(0, -2)) : file === glob)
  return layer.files.some(covers) && !(layer.except ?? []).some(covers)
}

const vendorFiles = (): Override[] =>
  [...new Set([...Object.values(VENDORS), ...SQLITE_FILES])].flatMap((file) =>
    Object.values(LAYERS)
      .filter((layer) => matches(layer, file))
      .map((layer) => restriction(layer, [file], file)),
  )

/** The import rules of every layer, and after them those of the files that may import one vendor package more. */
export const importRules = (): Override[] => [...Object.values(LAYERS).map((layer) => restriction(layer, layer.files)), ...vendorFiles()]
