// Token ids as records give them: whole numbers, gaps, and what no vocabulary has.
import { expect, test } from 'vitest'
import { documentCounts, tokensOf } from '../../../src/families/networks/text/tokens.ts'

test('ids that are missing or beyond all vocabularies are no tokens, and cost no memory', () => {
  const data = Float32Array.of(3, Number.NaN, 2e9, 1, 3, -5)
  const tokens = tokensOf({
    layout: 'dense',
    data,
    offsets: Float64Array.of(0, 4, 6),
    shapes: Int32Array.of(4, 1, 1, 1, 2, 1, 1, 1),
  })
  expect([...tokens.ids]).toEqual([3, -1, -1, 1, 3, -1])
  expect([...documentCounts(tokens, 2)]).toEqual([0, 1, 0, 2])
})
