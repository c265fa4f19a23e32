import { describe, expect, it } from 'vitest'
import { codeOf, fitBins } from '../../../src/families/trees/bins.ts'
import { denseCodes, sparseCodes } from '../../../src/families/trees/codes.ts'
import { Rng } from '../../../src/support/rng.ts'

describe('bins', () => {
  it('puts a cut between neighbouring values when there are few', () => {
    const bins = fitBins(Float32Array.of(3, 1, 2, 2, Number.NaN), 255, false)
    expect([...bins.cuts]).toEqual([1.5, 2.5])
    expect([Number.NaN, 0, 1, 1.5, 1.6, 2.5, 99].map((x) => codeOf(bins, x))).toEqual([0, 1, 1, 1, 2, 2, 3])
  })

  it('keeps codes and float32 comparisons the same for every value, infinities included', () => {
    const rng = Rng.fromSeed(3)
    const values = Float32Array.from({ length: 5000 }, () => rng.normal() * 10 ** rng.below(6))
    values.set([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, 1 + 2 ** -23])
    const bins = fitBins(values, 255, false)
    expect(bins.codes).toBeLessThanOrEqual(255)
    const disagreeing = values.filter((x) => bins.cuts.some((cut, c) => codeOf(bins, x) <= c + 1 !== x <= cut))
    expect([...disagreeing]).toEqual([])
  })

  it('fills bins evenly and gives a frequent value a bin of its own', () => {
    const values = Float32Array.from({ length: 3000 }, (_, i) => (i < 1500 ? 7 : i / 100))
    const bins = fitBins(values, 11, false)
    const counts = new Int32Array(bins.codes)
    for (const x of values) counts[codeOf(bins, x)]++
    expect(counts[codeOf(bins, 7)]).toBe(1500)
    const others = [...counts].filter((count) => count > 0 && count !== 1500)
    expect(Math.max(...others)).toBeLessThan(3 * Math.min(...others))
  })

  it('gives names a code each and unknown names the last one', () => {
    const bins = fitBins(Float32Array.of(4, 0, 9, 4), 255, true)
    expect([0, 4, 9, 5, -1, Number.NaN].map((x) => codeOf(bins, x))).toEqual([1, 2, 3, 4, 4, 0])
    expect(fitBins(Float32Array.of(0.5, 1), 255, true).values).toBeNull()
    const ages = Float32Array.from({ length: 200 }, (_, i) => i % 50)
    expect(fitBins(ages, 255, true).values).toBeNull()
  })

  it('codes a column without a value as missing everywhere', () => {
    const codes = denseCodes(Float32Array.of(Number.NaN, 1, Number.NaN, 2), 2, 2)
    expect(codes.bins[0].codes).toBe(1)
    expect([...codes.columns]).toEqual([0, 0, 1, 2])
  })

  it('leaves the code of zero out of sparse rows and keeps features ascending in each', () => {
    const codes = sparseCodes(
      {
        layout: 'sparse',
        indptr: Int32Array.of(0, 2, 2, 4),
        indices: Int32Array.of(0, 3, 0, 3),
        values: Float32Array.of(-1, 5, 2, 0),
        width: 4,
      },
      Int32Array.of(3, 0),
    )
    expect([...codes.indptr]).toEqual([0, 2, 2, 3])
    expect([...codes.features]).toEqual([0, 1, 1])
    expect([...codes.absent]).toEqual([1, 2])
    expect([...codes.codes]).toEqual([2, 1, 3])
  })
})
