import { canonical } from '../../../src/protocol/canonical.ts'
import type { Json, JsonObject } from '../../../src/protocol/json.ts'
import type { Evidence, TreeRow } from './evidence.ts'
import { foldUpTo, type Fold } from './fold.ts'

/** I7: the gateway's tree is what the log's fold makes it. */
export const judgeState = (evidence: Evidence, fold: Fold): void => {
  const wrong = (text: string): void => evidence.trace.violated('I7', `the gateway's tree: ${text}`)
  const rows = new Map(evidence.stateTree.map((row) => [row.path, row]))
  for (const row of evidence.stateTree) judgeRow(row, fold, wrong)
  for (const path of [...fold.live.keys(), ...fold.gone.keys()]) if (!rows.has(path)) wrong(`${path} is missing`)
}

const judgeRow = (row: TreeRow, fold: Fold, wrong: (text: string) => void): void => {
  const version = fold.live.get(row.path)
  if (row.content === null) {
    if (fold.gone.get(row.path) !== row.revision) wrong(`${row.path} was not deleted at revision ${row.revision}`)
  } else if (version === undefined) wrong(`${row.path} is there, and the log deleted it`)
  else if (version.revision !== row.revision || version.fileId !== row.fileId || version.content.hash !== row.content.hash) {
    wrong(`${row.path} is at revision ${row.revision}, and the log has ${version.revision}`)
  }
}

const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)

const entriesOf = (page: JsonObject): JsonObject[] => {
  const changes = page['Changes']
  return isObject(changes) ? Object.values(changes).flatMap((list) => (Array.isArray(list) ? list.filter(isObject) : [])) : []
}

/** I8: a Sync from any position, applied to the tree at that position, gives the tree at the head; each path at most once. */
export const judgeSync = async (evidence: Evidence, head: Fold): Promise<void> => {
  for (const position of evidence.positions) {
    const tree = new Map([...foldUpTo(evidence.log, position).live].map(([path, { revision }]) => [path, revision]))
    const told = new Set<string>()
    for (const entry of (await evidence.sync(position, evidence.log[position]?.chain ?? '')).flatMap(entriesOf)) {
      // The gateway names every entry by its path.
      const path = entry['OriginalName'] as string
      if (told.has(path)) evidence.trace.violated('I8', `a Sync from ${position} told of ${path} twice`)
      told.add(path)
      if (entry['Deleted'] === true) tree.delete(path)
      else tree.set(path, Number(entry['Version']))
    }
    const expected = Object.fromEntries([...head.live].map(([path, { revision }]) => [path, revision]))
    const found = canonical(Object.fromEntries(tree))
    if (found !== canonical(expected))
      evidence.trace.violated('I8', `a Sync from ${position} leads to ${found}, and the log to ${canonical(expected)}`)
  }
}
