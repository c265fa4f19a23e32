// MiniRocket's plan and transform against the paper's numbers and a slow reference.
import { afterAll, describe, expect, it, test } from 'vitest'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../../src/families/family.ts'
import {
  convolve,
  KERNEL_COUNT,
  KERNEL_LENGTH,
  KERNELS,
  planDilations,
  quantileOf,
  quantiles,
} from '../../../src/families/series/kernels.ts'
import { type DilationLayer, fitLayers, rocketFront, slopes } from '../../../src/families/series/minirocket-front.ts'
import { scaledFront, stretchedFront } from '../../../src/families/series/series-view.ts'
import { GraphBuilder } from '../../../src/graph/builder.ts'
import { Rng } from '../../../src/support/rng.ts'
import { type MemoryTask, profileOf, runExported } from '../networks/memory-trial.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

describe('kernels', () => {
  it('are all 84 choices of three of nine places, none twice', () => {
    expect(KERNELS).toHaveLength(84)
    expect(new Set(KERNELS.map(String)).size).toBe(84)
    for (const places of KERNELS) expect(new Set(places).size).toBe(3)
  })

  it('sum to zero, so that a constant gives nothing where they reach over no end', () => {
    const out = new Float32Array(30)
    convolve(new Float32Array(30).fill(3), KERNELS[17], 2, out)
    for (let t = 8; t < 22; t++) expect(out[t]).toBe(0)
    expect(out[0]).not.toBe(0)
  })

  it('pick weights 2 and -1 around each step', () => {
    const x = new Float32Array(21)
    x[10] = 1
    const out = new Float32Array(21)
    convolve(x, [0, 4, 8], 1, out)
    expect([...out.subarray(6, 15)]).toEqual([2, -1, -1, -1, 2, -1, -1, -1, 2])
  })
})

describe('the dilation plan', () => {
  it.each([
    [427, 119],
    [100, 12],
    [18, 119],
    [9, 5],
    [1024, 2],
  ])('for %i steps spends %i features a kernel, from dilation 1 to what fits', (steps, perKernel) => {
    const plan = planDilations(steps, perKernel)
    expect(plan.reduce((sum, { biases }) => sum + biases, 0)).toBe(perKernel)
    expect(plan[0].dilation).toBe(1)
    for (const { dilation, biases } of plan) {
      expect((KERNEL_LENGTH - 1) * dilation).toBeLessThanOrEqual(steps - 1)
      expect(biases).toBeGreaterThan(0)
    }
  })

  it('is exponential: the log grid of 32 up to log2((427 - 1) / 8), whole parts, repeats merged', () => {
    const dilations = planDilations(427, 119).map(({ dilation }) => dilation)
    const grid = Array.from({ length: 32 }, (_, i) => Math.floor(2 ** ((Math.log2(426 / 8) * i) / 31) + 1e-9))
    expect(dilations).toEqual([...new Set(grid)])
    expect(dilations.at(-1)).toBe(53)
  })
})

test('quantiles are golden-ratio multiples, interpolated linearly', () => {
  expect(quantiles(2)[0]).toBeCloseTo(0.618034, 6)
  expect(quantiles(2)[1]).toBeCloseTo(0.236068, 6)
  expect(quantileOf(Float32Array.of(0, 10, 20), 0.25)).toBe(5)
  expect(quantileOf(Float32Array.of(7), 0.9)).toBe(7)
})

/** Features of one example [channels, steps] by the definition. */
function slowFeatures(x: Float32Array[], layers: readonly DilationLayer[]): number[] {
  const steps = x[0].length
  const features: number[] = []
  for (const [d, layer] of layers.entries()) {
    const outputs = Array.from(layer.order, (kernel, i) => {
      const mixed = new Float32Array(steps)
      x.forEach((channel, c) => {
        if (layer.weights[(i * x.length + c) * KERNEL_LENGTH] === 0) return
        for (let t = 0; t < steps; t++) mixed[t] += channel[t]
      })
      const out = new Float32Array(steps)
      convolve(mixed, KERNELS[kernel], layer.dilation, out)
      const reach = 4 * layer.dilation
      return (kernel + d) % 2 === 0 || steps <= 2 * reach ? out : out.subarray(reach, steps - reach)
    })
    for (const thresholds of layer.thresholds) {
      outputs.forEach((out, i) => {
        features.push(out.filter((value) => value > thresholds[i]).length / out.length)
      })
    }
  }
  return features
}

const series = (count: number, channels: number, steps: number, seed = 1): Float32Array => {
  const rng = Rng.fromSeed(seed)
  return Float32Array.from({ length: count * channels * steps }, () => rng.normal())
}

async function transform(front: FrontEnd, x: Float32Array, shape: readonly number[]): Promise<Float32Array> {
  const g = new GraphBuilder()
  g.output('y', front.build(g, g.input('x', 'float32', ['n', ...shape.slice(1)]), []))
  const executable = await engine.compile(g.build())
  const { y } = await executable.run({ x: { type: 'float32', shape, data: x } })
  await executable.release()
  return y.data as Float32Array
}

describe('the transform graph', () => {
  const base: FrontEnd = { key: 'x', base: null, shape: [], store: 'float32', build: (_g, x) => x! }

  test.each([
    ['one channel', 1, 40],
    ['channel subsets', 5, 33],
    ['hardly longer than a kernel', 1, 9],
  ])('counts steps above biases as the definition does: %s', async (_title, channels, steps) => {
    const x = series(3, channels, steps)
    const layers = fitLayers(x, { channels, steps }, 7, Rng.fromSeed(2))
    const front = rocketFront(base, { channels, steps }, [{ of: 'series', layers }])
    expect(front.shape).toEqual([7 * KERNEL_COUNT])
    const y = await transform(front, x, [3, channels, steps])
    const example = Array.from({ length: channels }, (_, c) =>
      x.subarray((channels + c) * steps, (channels + c + 1) * steps),
    )
    const slow = slowFeatures(example, layers)
    // The graph lists padded kernels of a bias, then the others: the order of `order`.
    let differing = 0
    for (let f = 0; f < slow.length; f++) {
      if (Math.abs(y[slow.length + f] - slow[f]) > 1e-6) differing++
    }
    // A step that lies on a bias to the last bit may fall either side.
    expect(differing).toBeLessThan(slow.length * 0.01)
  })

  test('takes about half of the steps of its own example at the median bias', async () => {
    const x = series(1, 1, 200, 3)
    const layers = fitLayers(x, { channels: 1, steps: 200 }, 1, Rng.fromSeed(4))
    const y = await transform(
      rocketFront(base, { channels: 1, steps: 200 }, [{ of: 'series', layers }]),
      x,
      [1, 1, 200],
    )
    const mean = y.reduce((a, b) => a + b) / y.length
    expect(mean).toBeGreaterThan(0.4)
    expect(mean).toBeLessThan(0.6)
  })

  test.each([
    ['one channel', 1, 100],
    ['channel subsets', 5, 33],
    ['hardly longer than a kernel', 1, 9],
    ['more biases than one pass takes', 2, 18],
  ])('is computed alike outside the engine, to the last step: %s', async (_title, channels, steps) => {
    // On the grid of scaled series sums are exact, so that not one step may fall on the other side of a bias.
    const x = series(4, channels, steps).map((value) => Math.round(value * 2 ** 14) / 2 ** 14)
    const shape = { channels, steps }
    const rng = Rng.fromSeed(2)
    const ofSlopes = { channels, steps: steps - 1 }
    const parts = [
      { of: 'series' as const, layers: fitLayers(x, shape, 37, rng) },
      ...(steps > 9 ? [{ of: 'differences' as const, layers: fitLayers(slopes(x, steps), ofSlopes, 5, rng) }] : []),
    ]
    const front = rocketFront(base, shape, parts)
    const y = await transform(front, x, [4, channels, steps])
    const fast = front.compute!(x, 4)
    expect(fast.length).toBe(y.length)
    let largest = 0
    for (let i = 0; i < y.length; i++) largest = Math.max(largest, Math.abs(y[i] - fast[i]))
    expect(largest).toBeLessThan(1e-6)
    expect(front.compute!(x.slice(channels * steps, 2 * channels * steps), 1)).toEqual(
      fast.slice(front.shape[0], 2 * front.shape[0]),
    )
  })

  test('has differences as a second part', async () => {
    const x = series(2, 1, 30, 5)
    const steep = Float32Array.from({ length: 58 }, (_, i) => {
      const at = i < 29 ? i : i + 1
      return x[at + 1] - x[at]
    })
    const shape = { channels: 1, steps: 30 }
    const layers = fitLayers(steep, { channels: 1, steps: 29 }, 2, Rng.fromSeed(6))
    const y = await transform(rocketFront(base, shape, [{ of: 'differences', layers }]), x, [2, 1, 30])
    const slow = slowFeatures([steep.subarray(0, 29)], layers)
    expect([...y.subarray(0, slow.length)].filter((v, f) => Math.abs(v - slow[f]) > 1e-6).length).toBeLessThan(3)
  })
})

describe('stretching', () => {
  const task: MemoryTask = {
    kind: 'series',
    classCount: 2,
    bytes: false,
    varies: true,
    vocabulary: [],
    examples: [
      { shape: [1, 1, 2, 1], values: [5, 6], classes: [0] },
      { shape: [3, 1, 2, 1], values: [0, 10, 2, 20, 4, 30], classes: [1] },
      { shape: [35, 1, 2, 1], values: Array.from({ length: 70 }, (_, i) => i), classes: [0] },
    ],
  }
  const profile = profileOf(task)
  const rows = Int32Array.of(0, 1, 2)
  const through = (front: FrontEnd, of: Int32Array) => runExported(engine, task, { front, build: (_g, x) => x! }, of)

  test('interpolates linearly from each length to the longest, channels apart', async () => {
    const front = stretchedFront(profile)
    expect(front.shape).toEqual([2, 35])
    const y = await through(front, rows)
    const example = (i: number, c: number) => y.subarray((i * 2 + c) * 35, (i * 2 + c + 1) * 35)
    expect(new Set(example(0, 0))).toEqual(new Set([5]))
    expect(new Set(example(0, 1))).toEqual(new Set([6]))
    for (let t = 0; t < 35; t++) {
      expect(example(1, 0)[t]).toBeCloseTo((4 * t) / 34, 4)
      expect(example(1, 1)[t]).toBeCloseTo(10 + (20 * t) / 34, 3)
      expect(example(2, 1)[t]).toBeCloseTo(2 * t + 1, 4)
    }
    const alone = await through(front, Int32Array.of(1))
    for (let at = 0; at < 70; at++) expect(alone[at]).toBeCloseTo(y[70 + at], 4)
  })

  test('by example gives each channel mean 0 and deviation 1, and leaves constants at 0', async () => {
    const scales = { mean: new Float32Array(2), deviation: new Float32Array(2).fill(1) }
    const y = await through(scaledFront(profile, 'example', scales), rows)
    for (let t = 0; t < 70; t++) expect(y[t]).toBeCloseTo(0, 4)
    const ramp = y.subarray(70, 105)
    expect(ramp.reduce((a, b) => a + b) / 35).toBeCloseTo(0, 4)
    expect(ramp.reduce((a, b) => a + b * b, 0) / 35).toBeCloseTo(1, 3)
  })
})
