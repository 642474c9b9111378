import { expect, test } from 'vitest'
import { whyUnnamed } from './unnamed.ts'

test('a path that is too long is said to be that, any other without a name is not UTF-8', () => {
  expect(whyUnnamed(`${'d/'.repeat(2100)}x`)).toContain('longer than 4,096 bytes')
  expect(whyUnnamed('f\\xffo')).toContain('not UTF-8')
})
