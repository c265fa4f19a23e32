import { describe, expect, it } from 'vitest'
import { averageRanks } from '../../src/metrics/ranks.ts'
import { Rng } from '../../src/support/rng.ts'

describe('average ranks', () => {
  it('gives equal values their mean rank', () => {
    expect([...averageRanks(Float32Array.of(3, 1, 3, -2, 3, 1))]).toEqual([5, 2.5, 5, 1, 5, 2.5])
  })

  it('reads a strided column', () => {
    expect([...averageRanks(Float32Array.of(9, 1, 9, 3, 9, 2), 1, 2, 3)]).toEqual([1, 3, 2])
  })

  it('agrees with a comparison sort on normal values, infinities and denormals', () => {
    const rng = Rng.fromSeed(3)
    const values = Float32Array.from({ length: 5000 }, () => rng.normal())
    values[7] = Number.POSITIVE_INFINITY
    values[8] = Number.NEGATIVE_INFINITY
    values[9] = 1e-44
    values[10] = -1e-44
    const order = [...values.keys()].sort((a, b) => values[a] - values[b])
    const ranks = averageRanks(values)
    for (let i = 1; i < order.length; i++) {
      if (values[order[i]] > values[order[i - 1]]) expect(ranks[order[i]]).toBeGreaterThan(ranks[order[i - 1]])
      else expect(ranks[order[i]]).toBe(ranks[order[i - 1]])
    }
    expect(ranks.reduce((a, b) => a + b)).toBe((5000 * 5001) / 2)
  })
})
