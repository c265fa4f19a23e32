import { describe, expect, it } from 'vitest'
import { denseCodes, sparseCodes } from '../../../src/families/trees/codes.ts'
import { highOf, lowOf, packPair } from '../../../src/families/trees/histogram.ts'
import { type LeafwiseOptions, leafwiseGrower } from '../../../src/families/trees/leafwise.ts'
import { BY_SET, MISSING_LEFT, TreeStore } from '../../../src/families/trees/tree-store.ts'
import { Rng } from '../../../src/support/rng.ts'
import { rowsOf } from './helpers.ts'

const OPTIONS: LeafwiseOptions = {
  leaves: 2,
  maxDepth: 10,
  minRows: 1,
  minHessian: 0,
  l2: 0.5,
  minGain: 0,
  categorySmoothing: 0,
  categoryL2: 0,
}

function grow(
  values: Float32Array,
  n: number,
  features: number,
  first: Float32Array[],
  options = OPTIONS,
  categorical = false,
) {
  const codes = denseCodes(values, n, features, { categorical })
  const store = new TreeStore()
  const rows = rowsOf(n)
  const second = new Float32Array(n).fill(1)
  const growing = leafwiseGrower(codes, options).grow(store, rows, n, { first, second }, rowsOf(features))
  let step = growing.next()
  while (!step.done) step = growing.next()
  return { codes, store, rows, leaves: step.value.leaves }
}

/** sum over leaves and dims of G^2 / (H + l2). */
function scoreOf(leaves: { begin: number; end: number }[], rows: Int32Array, first: Float32Array[]): number {
  let score = 0
  for (const { begin, end } of leaves) {
    for (const gradient of first) {
      let G = 0
      for (let i = begin; i < end; i++) G += gradient[rows[i]]
      score += G ** 2 / (end - begin + OPTIONS.l2)
    }
  }
  return score
}

/** Tries every threshold of every feature with missing values on either side. */
function bestByHand(values: Float32Array, n: number, features: number, first: Float32Array[]): number {
  let best = 0
  for (let f = 0; f < features; f++) {
    for (let i = 0; i < n; i++) {
      for (const missingLeft of [true, false]) {
        const left: number[] = []
        const right: number[] = []
        for (let j = 0; j < n; j++) {
          const x = values[j * features + f]
          const toLeft = Number.isNaN(x) ? missingLeft : x <= values[i * features + f]
          ;(toLeft ? left : right).push(j)
        }
        if (left.length === 0 || right.length === 0) continue
        const sides = [left, right]
        best = Math.max(
          best,
          sides.reduce((sum, side) => {
            const rows = Int32Array.from(side)
            return sum + scoreOf([{ begin: 0, end: rows.length }], rows, first)
          }, 0),
        )
      }
    }
  }
  return best
}

describe('leaf-wise growth', () => {
  it.each([1, 2, 3, 5])('finds the split that exact search finds, with %i gradients and missing values', (dims) => {
    const rng = Rng.fromSeed(dims)
    for (let repeat = 0; repeat < 10; repeat++) {
      const n = 40
      const values = Float32Array.from({ length: n * 3 }, () =>
        rng.uniform() < 0.2 ? Number.NaN : Math.round(rng.normal() * 8),
      )
      const first = Array.from({ length: dims }, () => Float32Array.from({ length: n }, () => rng.normal()))
      const { leaves, rows } = grow(values, n, 3, first)
      expect(leaves).toHaveLength(2)
      expect(scoreOf(leaves, rows, first)).toBeCloseTo(bestByHand(values, n, 3, first), 2)
    }
  })

  it('separates categories that no threshold separates', () => {
    const values = Float32Array.from({ length: 240 }, (_, i) => i % 6)
    const gradient = values.map((x) => (x === 1 || x === 4 ? 1 : -1))
    const { store, leaves, rows } = grow(values, 240, 1, [gradient], OPTIONS, true)
    expect(store.flags[0] & BY_SET).toBe(BY_SET)
    const side = leaves.find(({ begin, end }) => end - begin === 80)!
    expect([...new Set(Array.from(rows.subarray(side.begin, side.end), (row) => row % 6))].sort()).toEqual([1, 4])
  })

  it('separates categories for several outputs at once, missing ones as one more', () => {
    const values = Float32Array.from({ length: 240 }, (_, i) => (i % 6 === 5 ? Number.NaN : i % 6))
    const apart = (i: number) => (i % 6 === 1 || i % 6 === 5 ? 1 : -1)
    const first = [1, -2, 0.5].map((size) => Float32Array.from(values, (_, i) => size * apart(i)))
    const { store, leaves, rows } = grow(values, 240, 1, first, OPTIONS, true)
    expect(store.flags[0] & BY_SET).toBe(BY_SET)
    const side = leaves.find(({ begin, end }) => end - begin === 80)!
    expect([...new Set(Array.from(rows.subarray(side.begin, side.end), (row) => row % 6))].sort()).toEqual([1, 5])
  })

  it('sees what many small gradients say beside a few large ones', () => {
    // One row in 2000 is of the rare class. Among the others a column tells apart gradients that are a hundredth of the largest.
    const n = 400_000
    const values = Float32Array.from({ length: n }, (_, i) => i % 2)
    const gradient = Float32Array.from({ length: n }, (_, i) => (i % 2000 === 7 ? -1 : i % 2 === 0 ? 0.003 : 0.002))
    const { leaves, rows } = grow(values, n, 1, [gradient], { ...OPTIONS, minRows: 20 })
    expect(leaves).toHaveLength(2)
    expect(new Set(Array.from(rows.subarray(leaves[0].begin, leaves[0].end), (row) => row % 2)).size).toBe(1)
  })

  it('sends missing values to the side where they belong', () => {
    const values = Float32Array.of(1, 2, 3, 4, Number.NaN, Number.NaN)
    const left = grow(values, 6, 1, [Float32Array.of(1, 1, -1, -1, 1, 1)])
    expect(left.store.flags[0] & MISSING_LEFT).toBe(MISSING_LEFT)
    const right = grow(values, 6, 1, [Float32Array.of(1, 1, -1, -1, -1, -1)])
    expect(right.store.flags[0] & MISSING_LEFT).toBe(0)
  })

  it('keeps minRows in every leaf, at most `leaves` of them, each row in one', () => {
    const rng = Rng.fromSeed(5)
    const n = 500
    const values = Float32Array.from({ length: n * 4 }, () => rng.normal())
    const gradient = Float32Array.from({ length: n }, () => rng.normal())
    const { leaves, rows } = grow(values, n, 4, [gradient], { ...OPTIONS, leaves: 20, minRows: 15 })
    expect(leaves.length).toBeGreaterThan(5)
    expect(leaves.length).toBeLessThanOrEqual(20)
    for (const { begin, end } of leaves) expect(end - begin).toBeGreaterThanOrEqual(15)
    expect([...rows].sort((a, b) => a - b)).toEqual([...rowsOf(n)])
    expect(leaves.reduce((sum, { begin, end }) => sum + end - begin, 0)).toBe(n)
  })

  it('grows the same tree on sparse rows as on dense ones', () => {
    const rng = Rng.fromSeed(6)
    const n = 200
    const features = 12
    const values = Float32Array.from({ length: n * features }, () => (rng.uniform() < 0.3 ? rng.below(4) - 1 : 0))
    const gradient = Float32Array.from(
      { length: n },
      (_, i) => values[i * features + 2] - values[i * features + 7] + rng.normal(),
    )
    const dense = grow(values, n, features, [gradient], { ...OPTIONS, leaves: 12 })
    const indptr = new Int32Array(n + 1)
    const indices: number[] = []
    const stored: number[] = []
    for (let i = 0; i < n; i++) {
      for (let f = 0; f < features; f++) {
        if (values[i * features + f] === 0) continue
        indices.push(f)
        stored.push(values[i * features + f])
      }
      indptr[i + 1] = indices.length
    }
    const codes = sparseCodes(
      {
        layout: 'sparse',
        indptr,
        indices: Int32Array.from(indices),
        values: Float32Array.from(stored),
        width: features,
      },
      rowsOf(features),
    )
    const rows = rowsOf(n)
    const store = new TreeStore()
    const gradients = { first: [gradient], second: new Float32Array(n).fill(1) }
    for (const _ of leafwiseGrower(codes, { ...OPTIONS, leaves: 12 }).grow(
      store,
      rows,
      n,
      gradients,
      rowsOf(features),
    ));
    expect([...rows]).toEqual([...dense.rows])
    expect([...store.feature.subarray(0, store.nodes)]).toEqual([...dense.store.feature.subarray(0, dense.store.nodes)])
  })
})

describe('packed pairs', () => {
  it('keep two signed sums apart', () => {
    let sum = 0
    let high = 0
    let low = 0
    const rng = Rng.fromSeed(1)
    for (let i = 0; i < 1000; i++) {
      const a = rng.below(20001) - 10000
      const b = rng.below(20001) - 10000
      sum += packPair(a, b)
      high += a
      low += b
    }
    expect([highOf(sum), lowOf(sum)]).toEqual([high, low])
  })
})
