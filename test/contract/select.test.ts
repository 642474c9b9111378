import { describe, expect, it } from 'vitest'
import { selectAdapters } from './select.ts'

const registry = { one: 1, two: 2 }

describe('selectAdapters', () => {
  it('takes all where nothing is named', () =>
    expect(selectAdapters(registry, 'ADAPTERS', {})).toEqual([
      ['one', 1],
      ['two', 2],
    ]))
  it('takes those named', () => expect(selectAdapters(registry, 'ADAPTERS', { ADAPTERS: ' two ' })).toEqual([['two', 2]]))
  it.each(['', ' , '])('fails where the variable names none (%j)', (named) =>
    expect(() => selectAdapters(registry, 'ADAPTERS', { ADAPTERS: named })).toThrow('names no adapter'),
  )
  it.each(['three', 'one,three', 'toString'])('fails at an unknown name (%s)', (named) =>
    expect(() => selectAdapters(registry, 'ADAPTERS', { ADAPTERS: named })).toThrow('there are: one, two'),
  )
  it('fails at an empty registry', () => expect(() => selectAdapters({}, 'ADAPTERS', {})).toThrow('names no adapter'))
})
