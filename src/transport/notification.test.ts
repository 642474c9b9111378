import { describe, expect, it } from 'vitest'
import { readNotification } from './notification.ts'
import { NO_BYTES } from './port.ts'

const read = (position: number) => readNotification({ message: { Action: 'FolderAt', Folder: 'f', Position: position }, payload: NO_BYTES })

describe('a notification', () => {
  it.each([-1, 0, 7, Number.MAX_SAFE_INTEGER])('tells of position %s', (position) => {
    expect(read(position)).toEqual({ folder: 'f', position })
  })

  it.each([-2, 2.5, 1e308, Number.NaN, 2 ** 53])('with position %s is none', (position) => {
    expect(read(position)).toBeUndefined()
  })
})
