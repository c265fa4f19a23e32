import { afterAll, describe, expect, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import { featureProducts } from '../../../src/families/series/gram.ts'
import { centreGram, fitRidge, type PenaltyGrid, type RidgeFit } from '../../../src/families/series/ridge.ts'
import { Rng } from '../../../src/support/rng.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

async function finish<R>(work: AsyncGenerator<void, R, void>): Promise<R> {
  for (;;) {
    const step = await work.next()
    if (step.done) return step.value
  }
}

const FEATURES = 5

function gramOf(x: Float32Array, n: number): Float32Array {
  const gram = new Float32Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let f = 0; f < FEATURES; f++) gram[i * n + j] += x[i * FEATURES + f] * x[j * FEATURES + f]
    }
  }
  return gram
}

type Judge = (leaveOneOut: Float32Array) => number

/** Penalties that rise, and then those that fall. */
const ridgeOn = (x: Float32Array, y: Float32Array, n: number, grid: PenaltyGrid, judge: Judge) =>
  finish(fitRidge(engine, centreGram(gramOf(x, n), n), y, n, grid, judge))
const ridge = (x: Float32Array, y: Float32Array, n: number, rising: number[]) =>
  ridgeOn(x, y, n, { rising, falling: [] }, () => 0)

function predict(x: Float32Array, n: number, fit: RidgeFit, point: Float32Array, m: number): number[] {
  const mean = new Float64Array(FEATURES)
  for (let i = 0; i < x.length; i++) mean[i % FEATURES] += x[i] / n
  return Array.from({ length: m }, (_, k) => {
    let sum = fit.mean[k]
    for (let i = 0; i < n; i++) {
      for (let f = 0; f < FEATURES; f++) sum += fit.dual[i * m + k] * x[i * FEATURES + f] * (point[f] - mean[f])
    }
    return sum
  })
}

function data(n: number, m: number) {
  const rng = Rng.fromSeed(n)
  const x = Float32Array.from({ length: n * FEATURES }, () => rng.normal() + 2)
  const y = Float32Array.from({ length: n * m }, (_, i) => x[Math.floor(i / m) * FEATURES + (i % m)] + rng.normal())
  return { x, y }
}

describe('ridge in the dual', () => {
  test('leave-one-out in closed form equals fits without the row', async () => {
    const n = 24
    const { x, y } = data(n, 2)
    const { leaveOneOut } = await ridge(x, y, n, [1.5])
    for (const out of [0, 11, 23]) {
      const kept = [...Array(n).keys()].filter((i) => i !== out)
      const xs = Float32Array.from(kept.flatMap((i) => [...x.subarray(i * FEATURES, (i + 1) * FEATURES)]))
      const ys = Float32Array.from(kept.flatMap((i) => [...y.subarray(i * 2, i * 2 + 2)]))
      const fit = await ridge(xs, ys, n - 1, [1.5])
      const point = x.subarray(out * FEATURES, (out + 1) * FEATURES)
      predict(xs, n - 1, fit, point, 2).forEach((value, k) => {
        expect(leaveOneOut[out * 2 + k]).toBeCloseTo(value, 3)
      })
    }
  })

  test('through the engine, on many rows, gives the same', async () => {
    const n = 450
    const { x, y } = data(n, 2)
    const { leaveOneOut, dual } = await ridge(x, y, n, [3])
    for (let k = 0; k < 2; k++) {
      let sum = 0
      for (let i = 0; i < n; i++) sum += dual[i * 2 + k]
      expect(sum).toBeCloseTo(0, 2)
    }
    const kept = n - 1
    const fit = await ridge(x.slice(0, kept * FEATURES), y.slice(0, kept * 2), kept, [3])
    predict(x.slice(0, kept * FEATURES), kept, fit, x.subarray(kept * FEATURES), 2).forEach((value, k) => {
      expect(leaveOneOut[kept * 2 + k]).toBeCloseTo(value, 2)
    })
  })

  test.each<[string, Record<number, number>, number, number[]]>([
    ['the first, when two above and one below are worse', { 1: 5 }, 1, [1, 10, 100, 0.1]],
    ['one above, past a worse one', { 1: 5, 100: 6 }, 100, [1, 10, 100, 1000, 0.1]],
    [
      'one far below, although those above are worse',
      { 1: 5, 0.1: 6, 0.01: 7, 0.001: 8 },
      1e-3,
      [1, 10, 100, 0.1, 0.01, 1e-3, 1e-4],
    ],
    [
      'one below although one above was better than the first',
      { 1: 5, 10: 6, 0.1: 7 },
      0.1,
      [1, 10, 100, 1000, 0.1, 0.01],
    ],
  ])('keeps %s', async (_title, liking, kept, order) => {
    const { x, y } = data(30, 1)
    const grid = { rising: [1, 10, 100, 1000], falling: [0.1, 0.01, 1e-3, 1e-4] }
    const all = [...grid.rising, ...grid.falling]
    const known = await Promise.all(all.map((penalty) => ridge(x, y, 30, [penalty])))
    const tried: number[] = []
    const { penalty } = await ridgeOn(x, y, 30, grid, (loo) => {
      tried.push(all[known.findIndex(({ leaveOneOut }) => leaveOneOut.every((value, i) => value === loo[i]))])
      return liking[tried.at(-1)!] ?? 0
    })
    expect(penalty).toBe(kept)
    expect(tried).toEqual(order)
  })

  test('bears a single row', async () => {
    const { dual, leaveOneOut, mean } = await ridge(Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(1), 1, [1])
    expect(mean[0]).toBe(1)
    for (const value of [...dual, ...leaveOneOut]) expect(Number.isFinite(value)).toBe(true)
  })
})

test('block products equal products by definition', async () => {
  const products = await featureProducts(engine)
  const rng = Rng.fromSeed(1)
  const a = Float32Array.from({ length: 600 * 3 }, () => rng.normal())
  const b = Float32Array.from({ length: 600 * 2 }, () => rng.normal())
  const left = await finish(products.transposedTimes(a, b, 3, 2))
  let expected = 0
  for (let i = 0; i < 600; i++) expected += a[i * 3 + 2] * b[i * 2 + 1]
  expect(left[5]).toBeCloseTo(expected, 2)
  const right = await finish(products.timesTransposed(a, a.subarray(0, 6), 3))
  expect(right).toHaveLength(1200)
  expect(right[599 * 2 + 1]).toBeCloseTo(a[1797] * a[3] + a[1798] * a[4] + a[1799] * a[5], 4)
  await products.release()
})
