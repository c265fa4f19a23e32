// Shared numerics against closed forms and published values.
import { describe, expect, test } from 'vitest'
import { fitScale, logLoss } from '../../../src/families/common/calibration.ts'
import { choleskyInPlace, choleskySolveInPlace, invertLower } from '../../../src/families/common/cholesky.ts'
import { columnStatistics, unitScales } from '../../../src/families/common/column-statistics.ts'
import { type Evaluation, type LbfgsOptions, type LbfgsResult, lbfgs } from '../../../src/families/common/lbfgs.ts'
import { Rng } from '../../../src/support/rng.ts'

async function minimise(
  evaluate: (w: Float32Array) => Evaluation,
  start: number[],
  options?: LbfgsOptions,
): Promise<LbfgsResult> {
  const steps = lbfgs(async (w) => evaluate(w), Float32Array.from(start), options)
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
  }
}

describe('L-BFGS', () => {
  test('finds the minimum of a badly scaled quadratic', async () => {
    const scales = [1, 100, 10_000]
    const target = [3, -2, 0.5]
    const evaluate = (w: Float32Array): Evaluation => ({
      loss: w.reduce((sum, v, i) => sum + 0.5 * scales[i] * (v - target[i]) ** 2, 0),
      gradient: w.map((v, i) => scales[i] * (v - target[i])),
    })
    const result = await minimise(evaluate, [0, 0, 0], { tolerance: 1e-9 })
    for (let i = 0; i < 3; i++) expect(result.weights[i]).toBeCloseTo(target[i], 3)
    expect(result.converged).toBe(true)
  })

  test('a preconditioner equal to the inverse Hessian needs one step', async () => {
    const scales = [1, 100, 10_000]
    const evaluate = (w: Float32Array): Evaluation => ({
      loss: w.reduce((sum, v, i) => sum + 0.5 * scales[i] * (v - 1) ** 2, 1),
      gradient: w.map((v, i) => scales[i] * (v - 1)),
    })
    const precondition = (g: Float64Array) => g.map((v, i) => v / scales[i])
    const result = await minimise(evaluate, [0, 0, 0], { precondition })
    expect(result.loss).toBeCloseTo(1, 6)
    expect(result.iterations).toBeLessThanOrEqual(2)
  })

  test('reaches the minimum (1, 1) of the Rosenbrock function', async () => {
    const evaluate = ([x, y]: Float32Array): Evaluation => ({
      loss: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
      gradient: Float32Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
    })
    const { weights } = await minimise(evaluate, [-1.2, 1], { tolerance: 0, maxIterations: 200 })
    expect(weights[0]).toBeCloseTo(1, 2)
    expect(weights[1]).toBeCloseTo(1, 2)
  })

  test('stays where the gradient is zero', async () => {
    const result = await minimise(() => ({ loss: 2, gradient: new Float32Array(2) }), [4, 5])
    expect([...result.weights]).toEqual([4, 5])
  })
})

describe('Cholesky', () => {
  const a = [4, 12, -16, 12, 37, -43, -16, -43, 98]

  test('factors the textbook matrix', () => {
    const l = Float64Array.from(a)
    choleskyInPlace(l, 3)
    expect([l[0], l[3], l[4], l[6], l[7], l[8]]).toEqual([2, 6, 1, -8, 5, 3])
  })

  test('solves and inverts', () => {
    const l = Float64Array.from(a)
    choleskyInPlace(l, 3)
    const b = Float64Array.of(1, 0, 2, 1, 3, -1)
    const x = b.slice()
    choleskySolveInPlace(l, 3, x, 2)
    for (let i = 0; i < 3; i++)
      for (let c = 0; c < 2; c++) {
        const back = a.slice(3 * i, 3 * i + 3).reduce((sum, v, j) => sum + v * x[2 * j + c], 0)
        expect(back).toBeCloseTo(b[2 * i + c], 9)
      }
    const inverse = invertLower(l, 3)
    expect([inverse[0], inverse[3], inverse[4]]).toEqual([0.5, -3, 1])
    expect(inverse[1]).toBe(0)
  })

  test('a singular matrix is damped, not refused', () => {
    const l = Float64Array.of(1, 1, 1, 1)
    choleskyInPlace(l, 2)
    expect(l.every(Number.isFinite)).toBe(true)
    expect(l[3]).toBeGreaterThan(0)
  })
})

describe('calibration', () => {
  const targets = (link: 'softmax' | 'sigmoid', classCount: number, values: number[], weights?: number[]) => ({
    link,
    classCount,
    values: Float32Array.from(values),
    weights: Float32Array.from(weights ?? new Array(values.length / classCount).fill(1)),
    weightSum: values.length / classCount,
  })

  test('log loss of even scores is log K', () => {
    expect(logLoss(new Float32Array(4), targets('softmax', 4, [0, 1, 0, 0]))).toBeCloseTo(Math.log(4), 9)
    expect(logLoss(new Float32Array(2), targets('sigmoid', 2, [0, 1]))).toBeCloseTo(2 * Math.log(2), 9)
  })

  test.each(['softmax', 'sigmoid'] as const)('finds the scale under which %s labels were drawn', (link) => {
    const rng = Rng.fromSeed(1)
    const n = 4000
    const k = 3
    const scores = new Float32Array(n * k)
    const values = new Array<number>(n * k).fill(0)
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < k; c++) scores[i * k + c] = rng.normal()
      const row = scores.subarray(i * k, i * k + k)
      if (link === 'softmax') {
        const weights = [...row].map((z) => Math.exp(2.5 * z))
        let u = rng.uniform() * weights.reduce((sum, w) => sum + w)
        const drawn = weights.findIndex((w) => (u -= w) < 0)
        values[i * k + Math.max(0, drawn)] = 1
      } else for (let c = 0; c < k; c++) values[i * k + c] = rng.uniform() < 1 / (1 + Math.exp(-2.5 * row[c])) ? 1 : 0
    }
    expect(fitScale(scores, targets(link, k, values))).toBeCloseTo(2.5, 0)
  })
})

describe('column statistics', () => {
  test('ignore missing values and count them', () => {
    const x = Float32Array.of(1, Number.NaN, 3, 5, 5, Number.POSITIVE_INFINITY)
    const { mean, std, missing } = columnStatistics(x, 3, 2)
    expect([...mean]).toEqual([3, 5])
    expect(std[0]).toBeCloseTo(Math.sqrt(8 / 3), 12)
    expect([...missing]).toEqual([0, 2])
  })

  test('a constant column gets scale 0, also at a large offset', () => {
    const x = Float32Array.of(1e6, 7, 1e6, 8, 1e6, 9)
    expect([...unitScales(columnStatistics(x, 3, 2))][0]).toBe(0)
  })
})
