import { describe, expect, it } from 'vitest'
import { classAucs, nauc } from '../../src/metrics/nauc.ts'
import { Rng } from '../../src/support/rng.ts'

/** AUC by its definition: the share of (positive, other) pairs in the right order, ties one half. */
function slowAuc(labels: Float32Array, scores: Float32Array, classCount: number, k: number): number {
  let pairs = 0
  let right = 0
  const n = labels.length / classCount
  for (let i = 0; i < n; i++) {
    if (!(labels[i * classCount + k] >= 1)) continue
    for (let j = 0; j < n; j++) {
      if (labels[j * classCount + k] >= 1) continue
      pairs++
      const gap = scores[i * classCount + k] - scores[j * classCount + k]
      right += gap > 0 ? 1 : gap === 0 ? 0.5 : 0
    }
  }
  return right / pairs
}

describe('NAUC', () => {
  it('is 1 for perfect scores, -1 for inverted ones and 0 for a constant', () => {
    const labels = Float32Array.of(1, 0, 0, 1, 0, 1)
    expect(nauc(labels, labels, 2)).toBe(1)
    expect(
      nauc(
        labels,
        labels.map((v) => -v),
        2,
      ),
    ).toBe(-1)
    expect(nauc(labels, new Float32Array(6).fill(0.3), 2)).toBe(0)
  })

  it('counts a tie between a positive and another example as half a pair', () => {
    // positives .5 .8, others .5 .1: pairs .5+1+1+1 = 3.5 of 4
    expect(nauc(Float32Array.of(1, 1, 0, 0), Float32Array.of(0.5, 0.8, 0.5, 0.1), 1)).toBeCloseTo((2 * 3.5) / 4 - 1, 12)
  })

  it('leaves out columns in which every or no example is positive', () => {
    const labels = Float32Array.of(1, 1, 0, 0, 1, 0) // columns: mixed, all, none
    const scores = Float32Array.of(0.9, 0.1, 0.4, 0.2, 0.7, 0.5)
    expect(nauc(labels, scores, 3)).toBe(1)
    const areas = classAucs(labels, scores, 3)
    expect(areas[0]).toBe(1)
    expect(Number.isNaN(areas[1]) && Number.isNaN(areas[2])).toBe(true)
  })

  it('is 0 when no column can be ranked', () => {
    expect(nauc(Float32Array.of(1, 1), Float32Array.of(0.2, 0.4), 1)).toBe(0)
    expect(nauc(new Float32Array(0), new Float32Array(0), 3)).toBe(0)
  })

  it.each([
    ['a few rows with many ties', 60, 3, 4],
    ['enough rows for the radix sort, with ties', 3000, 2, 50],
    ['enough rows for the radix sort, hardly a tie', 4000, 2, 1e6],
  ])('agrees with the count over all pairs on %s', (_title, n, classCount, levels) => {
    const rng = Rng.fromSeed(7)
    const labels = Float32Array.from({ length: n * classCount }, () => (rng.uniform() < 0.4 ? 1 : 0))
    const scores = Float32Array.from(
      { length: n * classCount },
      (_, i) => Math.floor((rng.normal() + labels[i]) * levels) / levels,
    )
    const slow = Array.from({ length: classCount }, (_, k) => slowAuc(labels, scores, classCount, k))
    const areas = classAucs(labels, scores, classCount)
    for (let k = 0; k < classCount; k++) expect(areas[k]).toBeCloseTo(slow[k], 10)
    expect(nauc(labels, scores, classCount)).toBeCloseTo((2 * slow.reduce((a, b) => a + b)) / classCount - 1, 10)
  })

  it('orders negative zero with zero, and negative numbers below', () => {
    expect(nauc(Float32Array.of(1, 0), Float32Array.of(-0, 0), 1)).toBe(0)
    expect(nauc(Float32Array.of(1, 0, 0), Float32Array.of(-0, -1e-30, -5), 1)).toBe(1)
  })
})
