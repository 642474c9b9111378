/**
 * What the reader of the whole log has to know of an event whose own evidence was checked elsewhere (segment.ts): {@link WORDS} words of 32 bits, so
 * that a thousand of them pass between threads as one buffer.
 */
export const WORDS = 24

// The places of the words. A path is told by its key of four words (tree.ts).
export const FLAGS = 0
/** Its stream's place in the segment's list. */
export const STREAM = 1
export const REVISION = 2
/** The revision that made its file. */
export const CREATED = 3
export const BASE = 4
/** How many of the segment's chunks are its. */
export const CHUNKS = 5
export const HASH_HIGH = 6
export const HASH_LOW = 7
export const PATH = 8
export const PARENT = 12
export const FROM = 16
export const FROM_PARENT = 20
export const KEY_WORDS = 4

// The flags: its type in the lowest bits, and then each a bit of its own.
export const TYPE_MASK = 3
export const CREATE = 0
export const UPDATE = 1
export const MOVE = 2
export const DELETE = 3
/** The event itself is the next of those that go along: nothing but its chain was looked at. */
export const OTHER = 4
/** The event itself goes along: what it did to the tree has to be judged with all that it says. */
export const WHOLE = 8
/** It begins a message. */
export const MESSAGE = 16
/** It touches no path. */
export const NO_FILE = 32
export const HAS_PARENT = 64
export const FROM_HAS_PARENT = 128
/** Where the content's kind begins. */
export const KIND_SHIFT = 8

/** Words of a chunk: its key, and its size. */
export const CHUNK_WORDS = 5
