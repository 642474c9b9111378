import type { Json, JsonObject } from '../../../src/protocol/json.ts'
import type { Acknowledged, Evidence, LogEntry } from './evidence.ts'

const isObject = (json: Json | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json)
const listOf = (json: Json | undefined): readonly JsonObject[] => (Array.isArray(json) ? json.filter(isObject) : [])

/** I1: what an agent was told is done must be in the log, at the revision that it was told. */
export const judgeAcknowledged = (evidence: Evidence): void => {
  for (const each of evidence.acknowledged) {
    const results = listOf(each.answer['Results'])
    for (const [index, change] of listOf(each.request['Changes']).entries()) {
      const result = results[index]
      if (result?.['Status'] === 200) judgeChange(evidence, each, change, result)
    }
  }
}

const judgeChange = (evidence: Evidence, { device }: Acknowledged, change: JsonObject, result: JsonObject): void => {
  const revision = Number(result['Version'])
  const entry = evidence.log[revision]
  const text = `${device} was told that ${JSON.stringify(change).slice(0, 200)} is done at revision ${revision}`
  if (entry === undefined) return evidence.trace.violated('I1', `${text}, which is not in the log`)
  if (isObject(change['File']) && !saysSo(entry, change, change['File'], result)) {
    evidence.trace.violated('I1', `${text}, where the log has ${JSON.stringify(entry.event).slice(0, 200)}`)
  }
}

const saysSo = ({ event }: LogEntry, change: JsonObject, file: JsonObject, result: JsonObject): boolean => {
  const path = result['OriginalName'] ?? file['OriginalName']
  if (change['Action'] === 'Delete')
    return (event.type === 'FileDeleted' && event.path === path) || (event.type === 'FileMoved' && event.from === path)
  if (!('content' in event) || event.path !== path || event.content.kind !== file['Kind']) return false
  return event.content.kind === 'directory' || event.content.hash === file['Hash']
}
