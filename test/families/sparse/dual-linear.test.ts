import { describe, expect, it, test } from 'vitest'
import { type Targets, targetsOf } from '../../../src/families/common/label-statistics.ts'
import { chooseCost } from '../../../src/families/sparse/choose-cost.ts'
import { type Csr, documentFrequencies, normaliseRows } from '../../../src/families/sparse/csr.ts'
import { type DualLinearOptions, fitDualLinear, linearMargins } from '../../../src/families/sparse/dual-linear.ts'
import { naiveBayesScales } from '../../../src/families/sparse/nb-scales.ts'
import { Rng } from '../../../src/support/rng.ts'

const ROWS = 60
const WIDTH = 12

function finish<R>(work: Generator<number, R, void>): R {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

function randomRows(rng: Rng): Csr {
  const indptr = [0]
  const indices: number[] = []
  const values: number[] = []
  for (let i = 0; i < ROWS; i++) {
    for (let f = 0; f < WIDTH; f++) {
      if (rng.uniform() < 0.4) {
        indices.push(f)
        values.push(rng.normal())
      }
    }
    indptr.push(indices.length)
  }
  return {
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
    width: WIDTH,
  }
}

function labelled(matrix: Csr, outputs: number, rng: Rng): Float32Array {
  const truth = Float32Array.from({ length: WIDTH * outputs }, () => rng.normal())
  const margins = linearMargins(matrix, { weights: truth, bias: new Float32Array(outputs) }, outputs)
  return margins.map((m) => (m + rng.normal() > 0 ? 1 : 0))
}

function fit(matrix: Csr, targets: Float32Array, outputs: number, options: Partial<DualLinearOptions>) {
  const all = { loss: 'logistic' as const, cost: 2, maxEpochs: 3000, tolerance: 1e-7, ...options }
  return finish(fitDualLinear(matrix, targets, outputs, all, Rng.fromSeed(1)))
}

/** s_f sum_i slope_ik x_if: what the weights must equal at the optimum. */
function stationary(matrix: Csr, slopes: Float64Array, outputs: number, scales: Float32Array | null): Float64Array {
  const out = new Float64Array(matrix.width * outputs)
  for (let i = 0; i < ROWS; i++) {
    for (let at = matrix.indptr[i]; at < matrix.indptr[i + 1]; at++) {
      for (let k = 0; k < outputs; k++) {
        const place = matrix.indices[at] * outputs + k
        out[place] += slopes[i * outputs + k] * matrix.values[at] * (scales?.[place] ?? 1)
      }
    }
  }
  return out
}

describe('dual coordinate descent', () => {
  it.each([
    ['one output', 1],
    ['seven outputs at once', 7],
  ])('meets the optimality condition of the logistic primal, %s', (_title, outputs) => {
    const rng = Rng.fromSeed(outputs)
    const matrix = randomRows(rng)
    const y = labelled(matrix, outputs, rng)
    const scales = Float32Array.from({ length: WIDTH * outputs }, () => 0.5 + rng.uniform())
    const { weights, bias } = fit(matrix, y, outputs, { scales })
    const margins = linearMargins(matrix, { weights, bias }, outputs)
    const slopes = Float64Array.from(y, (target, at) => 2 * (target - 1 / (1 + Math.exp(-margins[at]))))
    const expected = stationary(matrix, slopes, outputs, scales)
    for (let at = 0; at < weights.length; at++) expect(weights[at]).toBeCloseTo(expected[at], 2)
    for (let k = 0; k < outputs; k++) {
      let sum = 0
      for (let i = 0; i < ROWS; i++) sum += slopes[i * outputs + k]
      expect(bias[k]).toBeCloseTo(sum, 2)
    }
  })

  it('meets the optimality condition of the squared hinge', () => {
    const rng = Rng.fromSeed(5)
    const matrix = randomRows(rng)
    const y = labelled(matrix, 3, rng)
    const { weights, bias } = fit(matrix, y, 3, { loss: 'squared-hinge', cost: 0.5 })
    const margins = linearMargins(matrix, { weights, bias }, 3)
    const slopes = Float64Array.from(y, (target, at) => {
      const sign = 2 * target - 1
      return 2 * 0.5 * sign * Math.max(0, 1 - sign * margins[at])
    })
    const expected = stationary(matrix, slopes, 3, null)
    for (let at = 0; at < weights.length; at++) expect(weights[at]).toBeCloseTo(expected[at], 2)
  })

  it('with scales s is the same as with features multiplied by the root of s', () => {
    const rng = Rng.fromSeed(6)
    const matrix = randomRows(rng)
    const y = labelled(matrix, 1, rng)
    const root = Float32Array.from({ length: WIDTH }, () => 0.5 + 2 * rng.uniform())
    const scaled = { ...matrix, values: matrix.values.map((v, at) => v * root[matrix.indices[at]]) }
    const a = fit(matrix, y, 1, { scales: root.map((r) => r * r) })
    const b = fit(scaled, y, 1, {})
    const left = linearMargins(matrix, a, 1)
    const right = linearMargins(scaled, b, 1)
    for (let i = 0; i < ROWS; i++) expect(left[i]).toBeCloseTo(right[i], 2)
  })

  it('started from its own solution stays there', () => {
    const rng = Rng.fromSeed(7)
    const matrix = randomRows(rng)
    const y = labelled(matrix, 2, rng)
    const solved = fit(matrix, y, 2, {})
    const again = fit(matrix, y, 2, { start: solved.dual, maxEpochs: 1 })
    for (let at = 0; at < solved.weights.length; at++) expect(again.weights[at]).toBeCloseTo(solved.weights[at], 3)
  })

  it('gives a class without positive examples a negative margin everywhere', () => {
    const matrix = normaliseRows(randomRows(Rng.fromSeed(8)))
    const y = new Float32Array(ROWS)
    const margins = linearMargins(matrix, fit(matrix, y, 1, {}), 1)
    for (const margin of margins) expect(margin).toBeLessThan(-1)
  })

  it('bears empty rows', () => {
    const matrix = { ...randomRows(Rng.fromSeed(9)), indptr: new Int32Array(ROWS + 1) }
    const { bias } = fit(matrix, new Float32Array(ROWS).fill(1), 1, {})
    expect(bias[0]).toBeGreaterThan(1)
  })
})

describe('choosing C', () => {
  const rng = Rng.fromSeed(10)
  const matrix = randomRows(rng)
  const y = labelled(matrix, 2, rng)
  const rows = Int32Array.from({ length: ROWS }, (_, i) => i)

  test('takes one of the candidates and a positive scale, on multi-label tasks too', () => {
    for (const link of ['sigmoid', 'softmax'] as const) {
      const targets: Targets = targetsOf(link, y, 2, rows)
      const search = { loss: 'logistic', balance: 0, naiveBayes: false, costs: [0.1, 1, 10], maxWork: 1e9 } as const
      const { cost, scale } = finish(chooseCost(matrix, targets, search, Rng.fromSeed(0)))
      expect([0.1, 1, 10]).toContain(cost)
      expect(scale).toBeGreaterThan(0)
    }
  })

  test('prefers strong regularisation for labels that are noise, over none at all', () => {
    const many = 400
    const wide: Csr = {
      indptr: Int32Array.from({ length: many + 1 }, (_, i) => 3 * i),
      indices: Int32Array.from({ length: 3 * many }, (_, at) => (at % 3 === 0 ? 0 : 1 + rng.below(300))),
      values: Float32Array.from({ length: 3 * many }, (_, at) => (at % 3 === 0 ? rng.normal() : 1)),
      width: 301,
    }
    const labels = new Float32Array(2 * many)
    for (let i = 0; i < many; i++) labels[2 * i + (wide.values[3 * i] + rng.normal() > 0 ? 1 : 0)] = 1
    const all = Int32Array.from({ length: many }, (_, i) => i)
    const search = { loss: 'logistic', balance: 0, naiveBayes: false, costs: [0.1, 1000], maxWork: 1e9 } as const
    const { cost } = finish(chooseCost(wide, targetsOf('softmax', labels, 2, all), search, Rng.fromSeed(0)))
    expect(cost).toBe(0.1)
  })
})

describe('naive Bayes weighting', () => {
  it('is the squared log ratio of smoothed frequencies plus a floor', () => {
    const matrix: Csr = {
      indptr: Int32Array.of(0, 2, 3),
      indices: Int32Array.of(0, 1, 1),
      values: Float32Array.of(1, 1, 1),
      width: 2,
    }
    const scales = finish(naiveBayesScales(matrix, Float32Array.of(1, 0), 1))
    // in: 1.1, 1.1 of 2.2; out: .1, 1.1 of 1.2
    expect(scales[0]).toBeCloseTo((Math.log(1.1 / 2.2 / (0.1 / 1.2)) + 0.5) ** 2, 4)
    expect(scales[1]).toBeCloseTo((Math.abs(Math.log(1.1 / 2.2 / (1.1 / 1.2))) + 0.5) ** 2, 4)
  })

  it('counts documents, not values', () => {
    const matrix = {
      indptr: Int32Array.of(0, 1, 3),
      indices: Int32Array.of(1, 0, 1),
      values: Float32Array.of(5, 2, 9),
      width: 3,
    }
    expect([...documentFrequencies(matrix)]).toEqual([1, 2, 0])
  })
})
