// Picture fronts: resizing against the filter's definition, gradients of edges whose direction is known, codes of one by one
// pictures against codes of a batch.
import { afterAll, describe, expect, test } from 'vitest'
import type { TaskProfile } from '../../../src/dataset/profile.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../../src/families/family.ts'
import { localContrast } from '../../../src/families/fronts/local-contrast.ts'
import { cellGrid, orientedGradients } from '../../../src/families/fronts/oriented-gradients.ts'
import { fitPatches, patchOptions } from '../../../src/families/fronts/patches.ts'
import { pictureFront, pictureSize, valueRange } from '../../../src/families/fronts/picture.ts'
import { resizePictures, triangleWeights } from '../../../src/families/fronts/resize-pictures.ts'
import { Rng } from '../../../src/support/rng.ts'
import { runGraph } from './run-graph.ts'

const engine = createOnnxEngine({ threads: 1 })
afterAll(() => engine.close())

const noise = (length: number, seed = 1) => {
  const rng = Rng.fromSeed(seed)
  return Float32Array.from({ length }, () => rng.uniform())
}

describe('the triangle filter', () => {
  test('rows sum to one and halving averages with weights 1 3 3 1 inside', () => {
    const w = triangleWeights(8, 4)
    for (let i = 0; i < 4; i++) expect(w.subarray(8 * i, 8 * i + 8).reduce((a, b) => a + b)).toBeCloseTo(1, 6)
    expect([...w.subarray(8, 16)].map((v) => Math.round(v * 8000) / 1000)).toEqual([0, 1, 3, 3, 1, 0, 0, 0])
  })

  test('an equal size is the identity', () => {
    expect([...triangleWeights(3, 3)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
  })

  test.each([
    ['shrinking', 9, 14, 4, 5],
    ['growing', 3, 4, 8, 8],
    ['one pixel', 1, 1, 6, 6],
  ])('%s with sizes known only at run time equals the definition', async (_title, rows, cols, toRows, toCols) => {
    const data = noise(2 * rows * cols * 3)
    const fed = { shape: [2, rows, cols, 3], declared: ['n', 'rows', 'cols', 3], data }
    const { shape, data: out } = await runGraph(engine, { x: fed }, (g, { x }) => resizePictures(g, x, toRows, toCols))
    expect(shape).toEqual([2, 3, toRows, toCols])
    const wr = triangleWeights(rows, toRows)
    const wc = triangleWeights(cols, toCols)
    for (const [n, c, i, j] of [
      [0, 0, 0, 0],
      [1, 2, toRows - 1, toCols - 1],
      [1, 1, 2, 3],
    ]) {
      let sum = 0
      for (let r = 0; r < rows; r++)
        for (let q = 0; q < cols; q++) {
          sum += wr[i * rows + r] * wc[j * cols + q] * data[((n * rows + r) * cols + q) * 3 + c]
        }
      expect(out[((n * 3 + c) * toRows + i) * toCols + j]).toBeCloseTo(sum, 5)
    }
  })
})

describe('the size of pictures', () => {
  const extent = (value: number) => ({ min: value, median: value, max: value })
  test.each([
    ['native when fixed and small', extent(28), extent(28), { rows: 28, cols: 28 }],
    ['the aspect of the data when large', extent(300), extent(400), { rows: 48, cols: 64 }],
    ['not enlarged when small and varying', { min: 10, median: 20, max: 30 }, extent(20), { rows: 24, cols: 24 }],
  ])('is %s', (_title, rows, cols, size) => {
    expect(pictureSize({ rows, cols } as Parameters<typeof pictureSize>[0])).toEqual(size)
  })
})

describe('the values of dense pictures', () => {
  const about = (min: number, max: number, mean: number, std: number) =>
    ({ spec: { format: 'DENSE' }, values: { min, max, mean, std } }) as Parameters<typeof valueRange>[0]

  test.each([
    ['stay as they are in [0, 1]', about(0, 1, 0.01, 0.02), null],
    ['run from the least to the largest of bytes', about(0, 255, 2, 5), { low: 0, high: 255 }],
    ['run between the extremes without stray ones', about(-3, 4000, 2000, 900), { low: -3, high: 4000 }],
    ['end six deviations from the mean', about(-9e4, 65535, 1000, 500), { low: -2000, high: 4000 }],
    ['that are all the same are the lower end', about(7, 7, 7, 0), { low: 7, high: 8 }],
  ])('%s', (_title, matrix, range) => {
    expect(valueRange(matrix)).toEqual(range)
  })

  test('keep their grays beside one stray pixel', async () => {
    const side = 8
    const extent = { min: side, median: side, max: side }
    const matrix = { ...about(0, 65535, 1000, 600), rows: extent, cols: extent, channels: 1 }
    const data = Float32Array.from({ length: side * side }, (_, i) => (i === 9 ? 65535 : (2000 * i) / (side * side)))
    const front = pictureFront({ matrices: [matrix] } as unknown as TaskProfile)
    const fed = { x: { shape: [1, 1, side, side, 1], data } }
    const { data: out } = await runGraph(engine, fed, (g, { x }) => front.build(g, null, [{ matrix: x, length: null }]))
    expect(out[9]).toBe(1)
    expect(new Set(out).size).toBeGreaterThan(50)
  })
})

describe('oriented gradients', () => {
  const gradients = (data: Float32Array, m: number, rows: number, cols: number, channels = 1) =>
    runGraph(
      engine,
      { x: { shape: [m, channels, rows, cols], declared: ['m', channels, rows, cols], data } },
      (g, { x }) => orientedGradients(g, x, cellGrid(rows, cols)),
    )

  test('a ramp to the right votes for direction 0, a ramp down for a quarter turn', async () => {
    const side = 16
    const right = Float32Array.from({ length: side * side }, (_, i) => (i % side) / side)
    const down = Float32Array.from({ length: side * side }, (_, i) => Math.floor(i / side) / side)
    const cells = 64
    for (const [picture, direction] of [
      [right, 0],
      [down, 4],
    ] as const) {
      const { data } = await gradients(picture, 1, side, side)
      const middle = 27
      const votes = Array.from({ length: 16 }, (_, k) => data[k * cells + middle])
      expect(votes.indexOf(Math.max(...votes))).toBe(direction)
      expect(votes[(direction + 8) % 16]).toBe(0)
    }
  })

  test('a flat picture has no gradients, and brightness does not matter', async () => {
    const flat = await gradients(new Float32Array(144).fill(0.7), 1, 12, 12)
    expect(Math.max(...flat.data)).toBeLessThan(0.05)
    const picture = noise(144)
    const a = await gradients(picture, 1, 12, 12)
    const b = await gradients(
      picture.map((v) => v + 3),
      1,
      12,
      12,
    )
    for (let i = 0; i < a.data.length; i++) expect(b.data[i]).toBeCloseTo(a.data[i], 2)
  })

  test.each([
    ['tiny', 4, 4],
    ['wide', 9, 31],
    ['tall and odd', 61, 7],
  ])('%s pictures give the declared size, one by one as in a batch', async (_title, rows, cols) => {
    const grid = cellGrid(rows, cols)
    const data = noise(3 * 3 * rows * cols)
    const all = await gradients(data, 3, rows, cols, 3)
    expect(all.shape).toEqual([3, 24 * grid.rows * grid.cols])
    const size = 3 * rows * cols
    const second = await gradients(data.slice(size, 2 * size), 1, rows, cols, 3)
    const width = all.shape[1]
    for (let j = 0; j < width; j++) expect(second.data[j]).toBeCloseTo(all.data[width + j], 5)
  })
})

describe('local contrast', () => {
  test('a flat picture becomes zero and contrast does not matter', async () => {
    const run = (data: Float32Array) =>
      runGraph(engine, { x: { shape: [1, 1, 9, 9], data } }, (g, { x }) => localContrast(g, x, 5))
    expect(Math.max(...(await run(new Float32Array(81).fill(0.4))).data.map(Math.abs))).toBeLessThan(1e-3)
    const picture = noise(81)
    const strong = (await run(picture)).data
    const weak = (await run(picture.map((v) => 0.3 + 0.5 * v))).data
    for (let i = 0; i < 81; i++) expect(weak[i]).toBeCloseTo(strong[i], 1)
  })
})

describe('patch features', () => {
  test.each([
    ['as large as the picture asks for', 3, { filters: 16, side: 8, stride: 4 }],
    ['smaller with a dozen channels', 13, { filters: 16, side: 5, stride: 4 }],
    ['four pixels with a hundred', 100, { filters: 16, side: 2, stride: 5 }],
    ['none with two hundred', 200, null],
  ])('patches are %s', (_title, channels, options) => {
    expect(patchOptions([channels, 64, 64], 16)).toEqual(options)
  })

  test.each([
    ['square', 20, 20, 3],
    ['wide', 8, 40, 1],
  ])(
    '%s pictures: the declared size, one by one as in a batch, some codes active',
    async (_t, rows, cols, channels) => {
      const shape = [channels, rows, cols]
      const base: FrontEnd = {
        key: 'test',
        base: null,
        shape,
        store: 'uint8',
        build: (_g, _x, inputs) => inputs[0].matrix,
      }
      const size = channels * rows * cols
      const pictures = noise(6 * size)
      const fit = fitPatches(engine, base, pictures, patchOptions(shape, 16)!, Rng.fromSeed(3))
      let front: FrontEnd | null = null
      while (front === null) {
        const step = await fit.next()
        if (step.done) front = step.value
      }
      const run = (data: Float32Array, m: number) =>
        runGraph(engine, { x: { shape: [m, ...shape], declared: ['m', ...shape], data } }, (g, { x }) =>
          front!.build(g, x, []),
        )
      const all = await run(pictures, 6)
      expect(all.shape).toEqual([6, ...front.shape])
      const active = all.data.filter((v) => v > 0).length / all.data.length
      expect(active).toBeGreaterThan(0.3)
      const last = await run(pictures.slice(5 * size), 1)
      for (let j = 0; j < all.shape[1]; j++) expect(last.data[j]).toBeCloseTo(all.data[5 * all.shape[1] + j], 4)
    },
  )
})
