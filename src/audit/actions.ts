import type { FolderEvent } from '../domain/events.ts'

/** What each type of a folder's events is called in front of people. */
const WORDS: Readonly<Record<FolderEvent['type'], string>> = {
  FolderCreated: 'folder created',
  FileCreated: 'created',
  FileUpdated: 'updated',
  FileMoved: 'moved',
  FileDeleted: 'deleted',
  DeletionHeld: 'held',
  DeletionApproved: 'approved',
}

export const ACTION_WORDS: readonly string[] = Object.values(WORDS)

export const actionWord = (type: FolderEvent['type']): string => WORDS[type]

/** The types that a word, or a type's own name, stands for. */
export const typesOf = (text: string): readonly string[] =>
  Object.entries(WORDS)
    .filter(([type, word]) => text.toLowerCase() === word || text.toLowerCase() === type.toLowerCase())
    .map(([type]) => type)
