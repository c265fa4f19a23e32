// The heads against closed forms: gradients by finite differences, intercepts of class frequencies, kernel ridge by direct solution.
import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { choleskyInPlace, choleskySolveInPlace } from '../../../src/families/common/cholesky.ts'
import { classPriors, targetsOf } from '../../../src/families/common/label-statistics.ts'
import { fitKernelRidge, kernelScores } from '../../../src/families/linear/kernel-ridge.ts'
import { type LinearMap, linearScores, logisticSolver, lossGraph } from '../../../src/families/linear/logistic.ts'
import { choosePenalty, linearLogits, PENALTIES } from '../../../src/families/linear/penalty-path.ts'
import { foldStandardisation, standardisationOf, standardiseInPlace } from '../../../src/families/linear/standardise.ts'
import { Rng } from '../../../src/support/rng.ts'
import { runGraph } from '../fronts/run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

async function result<T>(steps: AsyncGenerator<unknown, T, void>): Promise<T> {
  for (;;) {
    const step = await steps.next()
    if (step.done) return step.value
  }
}

const rows = (n: number) => Int32Array.from({ length: n }, (_, i) => i)
const normals = (length: number, seed: number) => {
  const rng = Rng.fromSeed(seed)
  return Float32Array.from({ length }, () => rng.normal())
}

describe('the loss graph', () => {
  test.each(['softmax', 'sigmoid'] as const)('of %s has the gradient that finite differences give', async (link) => {
    const [m, d, k] = [6, 4, 3]
    const x = normals(m * d, 1)
    const labels = Float32Array.from({ length: m * k }, (_, i) =>
      link === 'softmax' ? +(i % k === (i >> 2) % k) : i % 2,
    )
    const { values: y, weights: weight } = targetsOf(link, labels, k, rows(m), 0.5)
    const w = normals(d * k, 2)
    const b = normals(k, 3)
    const executable = await engine.compile(lossGraph(d, k, link))
    const run = async (weights: Float32Array, biases: Float32Array) => {
      const tensor = (data: Float32Array, shape: number[]) => ({ type: 'float32' as const, shape, data })
      return executable.run({
        x: tensor(x, [m, d]),
        y: tensor(y, [m, k]),
        weight: tensor(weight, [m, 1]),
        w: tensor(weights, [d, k]),
        b: tensor(biases, [k]),
      })
    }
    const { dw, db } = await run(w, b)
    const step = 1e-2
    const slope = async (target: Float32Array, i: number, other: (v: Float32Array) => [Float32Array, Float32Array]) => {
      const moved = (by: number) => target.with(i, target[i] + by)
      const above = (await run(...other(moved(step)))).loss.data[0] as number
      const below = (await run(...other(moved(-step)))).loss.data[0] as number
      return (above - below) / (2 * step)
    }
    for (let i = 0; i < d * k; i++) expect(dw.data[i]).toBeCloseTo(await slope(w, i, (v) => [v, b]), 2)
    for (let i = 0; i < k; i++) expect(db.data[i]).toBeCloseTo(await slope(b, i, (v) => [w, v]), 2)
    await executable.release()
  })

  test('a row without any label teaches softmax nothing', async () => {
    const graph = lossGraph(1, 2, 'softmax')
    const executable = await engine.compile(graph)
    const tensor = (data: number[], shape: number[]) => ({
      type: 'float32' as const,
      shape,
      data: Float32Array.from(data),
    })
    const shared = { w: tensor([1, -1], [1, 2]), b: tensor([0, 0], [2]) }
    const run = (x: number[], labels: number[]) => {
      const m = x.length
      const { values, weights } = targetsOf('softmax', Float32Array.from(labels), 2, rows(m))
      return executable.run({
        x: tensor(x, [m, 1]),
        y: tensor([...values], [m, 2]),
        weight: tensor([...weights], [m, 1]),
        ...shared,
      })
    }
    const one = await run([2], [1, 0])
    const two = await run([2, 5], [1, 0, 0, 0])
    expect([...(two.dw.data as Float32Array)]).toEqual([...(one.dw.data as Float32Array)])
    await executable.release()
  })
})

describe('logistic regression', () => {
  test('with features that say nothing gives the class frequencies', async () => {
    const labels = Float32Array.from([1, 0, 1, 0, 1, 0, 0, 1])
    const targets = targetsOf('softmax', labels, 2, rows(4))
    const solver = await logisticSolver(engine, { x: new Float32Array(4), width: 1, targets })
    const { intercepts } = await result(solver.fit(0.1, undefined, { tolerance: 1e-9 }))
    expect(Math.exp(intercepts[0] - intercepts[1])).toBeCloseTo(3, 2)
    await solver.release()
  })

  test('satisfies its optimality condition: penalty times weights equals the mean residual product', async () => {
    const [m, d, k] = [60, 3, 3]
    const x = normals(m * d, 5)
    const labels = new Float32Array(m * k)
    for (let i = 0; i < m; i++) labels[i * k + (x[i * d] > 0 ? (x[i * d + 1] > 0 ? 0 : 1) : 2)] = 1
    const targets = targetsOf('softmax', labels, k, rows(m))
    const solver = await logisticSolver(engine, { x, width: d, targets })
    const map = await result(solver.fit(0.05, undefined, { tolerance: 1e-9, maxIterations: 300 }))
    await solver.release()
    const logits = linearLogits(x, d, map)
    for (let j = 0; j < d; j++)
      for (let c = 0; c < k; c++) {
        let mean = 0
        for (let i = 0; i < m; i++) {
          const z = [...logits.subarray(i * k, i * k + k)].map(Math.exp)
          mean += (x[i * d + j] * (labels[i * k + c] - z[c] / (z[0] + z[1] + z[2]))) / m
        }
        expect(0.05 * map.weights[j * k + c]).toBeCloseTo(mean, 3)
      }
  })

  test('pure noise gets a strong penalty, a clear rule a weak one', async () => {
    const [m, d] = [300, 20]
    const x = normals(m * d, 8).map((v) => v / Math.sqrt(d))
    const choose = async (label: (i: number) => boolean) => {
      const labels = Float32Array.from({ length: 2 * m }, (_, i) => +(label(i >> 1) === (i % 2 === 1)))
      const targets = targetsOf('softmax', labels, 2, rows(m))
      return (await result(choosePenalty(engine, { x, width: d, targets }, Rng.fromSeed(1)))).penalty
    }
    const rng = Rng.fromSeed(2)
    const coin = Array.from({ length: m }, () => rng.uniform() < 0.5)
    expect(await choose((i) => coin[i])).toBeGreaterThan(0.01)
    expect(await choose((i) => x[i * d] > 0)).toBeLessThan(0.001)
    expect(PENALTIES[0]).toBeGreaterThan(PENALTIES[PENALTIES.length - 1])
  })
})

describe('standardisation', () => {
  test.each(['columns', 'whole'] as const)('by %s folds into the weights', (scaling) => {
    const [n, d, k] = [20, 3, 2]
    const x = normals(n * d, 9).map((v, i) => (i % d === 1 ? 5 : 100 * v + 7))
    const s = standardisationOf(x, n, d, scaling)
    const z = x.slice()
    standardiseInPlace(z, s)
    let squares = 0
    for (const v of z) squares += v * v
    expect(squares / n).toBeCloseTo(1, 4)
    const map: LinearMap = { weights: normals(d * k, 10), intercepts: Float32Array.of(1, 2) }
    const folded = linearLogits(x, d, foldStandardisation(map, s))
    const direct = linearLogits(z, d, map)
    for (let i = 0; i < n * k; i++) expect(folded[i]).toBeCloseTo(direct[i], 3)
  })

  test('scores in the graph are the softmax of scaled logits', async () => {
    const map: LinearMap = { weights: Float32Array.of(1, 0, 0, 1), intercepts: Float32Array.of(0, Math.log(3)) }
    const fed = { x: { shape: [1, 2], data: new Float32Array(2) } }
    const { data } = await runGraph(engine, fed, (g, { x }) => linearScores(g, x, map, 'softmax', 2))
    expect(data[1]).toBeCloseTo(0.9, 5)
  })
})

describe('kernel ridge', () => {
  test.each([
    ['every example a landmark', 40, 40, 0],
    ['more landmarks than a block', 150, 150, 0],
    ['balanced classes', 40, 40, 0.8],
  ])('with %s equals the dual solution', async (_title, n, m, balance) => {
    const [d, k, gamma, penalty] = [3, 2, 0.7, 0.5]
    const x = normals(n * d, 11)
    const labels = Float32Array.from({ length: n * k }, (_, i) => +(x[Math.floor(i / k) * d] > 0.6 === (i % k === 0)))
    const targets = targetsOf('softmax', labels, k, rows(n), balance)
    const { map } = await result(
      fitKernelRidge(engine, {
        x,
        width: d,
        targets,
        judges: new Int32Array(0),
        landmarks: rows(m),
        gamma,
        choice: { penalty, scale: 1 },
      }),
    )
    const kernel = (i: number, j: number) => {
      let distance = 0
      for (let c = 0; c < d; c++) distance += (x[i * d + c] - x[j * d + c]) ** 2
      return Math.exp(-gamma * distance)
    }
    const a = new Float64Array(n * n)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) a[i * n + j] = kernel(i, j) + (i === j ? penalty / targets.weights[i] : 0)
    const priors = classPriors(targets)
    const dual = Float64Array.from(targets.values, (v, i) => v - priors[i % k])
    choleskyInPlace(a, n)
    choleskySolveInPlace(a, n, dual, k)
    const fed = { x: { shape: [n, d], data: x } }
    const { data } = await runGraph(engine, fed, (g, { x: value }) => kernelScores(g, value, map, 'softmax', 1))
    for (let i = 0; i < n; i += 7) {
      const values = [0, 1].map((c) => {
        let sum = priors[c]
        for (let j = 0; j < n; j++) sum += kernel(i, j) * dual[j * k + c]
        return sum
      })
      expect(data[i * k]).toBeCloseTo(1 / (1 + Math.exp(values[1] - values[0])), 2)
    }
  })
})
