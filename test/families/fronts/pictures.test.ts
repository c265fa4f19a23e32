// Picture fronts: resizing against the filter's definition, gradients of edges whose direction is known, codes of one by one
// pictures against codes of a batch.
import { afterAll, describe, expect, test } from 'vitest'
import type { TaskProfile } from '../../../src/dataset/profile.ts'
import { valueStatistics } from '../../../src/dataset/sample-statistics.ts'
import { createOnnxEngine } from '../../../src/engine/onnx/engine.ts'
import type { FrontEnd } from '../../../src/families/family.ts'
import { framesFront } from '../../../src/families/fronts/frames.ts'
import { localContrast } from '../../../src/families/fronts/local-contrast.ts'
import { cellGrid, orientedGradients } from '../../../src/families/fronts/oriented-gradients.ts'
import { fitPatches, patchOptions } from '../../../src/families/fronts/patches.ts'
import { pictureFront, pictureSize, valueRanges } from '../../../src/families/fronts/picture.ts'
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
    ({ spec: { format: 'DENSE' }, values: { min, max, mean, std } }) as Parameters<typeof valueRanges>[0]

  test.each([
    ['stay as they are in [0, 1]', about(0, 1, 0.01, 0.02), null],
    ['run from the least to the largest of bytes', about(0, 255, 2, 5), [{ low: 0, high: 255 }]],
    ['run between the extremes without stray ones', about(-3, 4000, 2000, 900), [{ low: -3, high: 4000 }]],
    ['end six deviations from the mean', about(-9e4, 65535, 1000, 500), [{ low: -2000, high: 4000 }]],
    ['that are all the same are the lower end', about(7, 7, 7, 0), [{ low: 7, high: 8 }]],
  ])('%s where nothing is known of the channels', (_title, matrix, ranges) => {
    expect(valueRanges(matrix)).toEqual(ranges)
  })

  const SIDE = 16
  const PIXELS = SIDE * SIDE
  const COUNT = 4

  /** A profile of COUNT pictures of SIDE x SIDE, `valueAt` by picture, pixel and channel; and their values. */
  function picturesOf(channels: number, valueAt: (picture: number, pixel: number, channel: number) => number) {
    const size = PIXELS * channels
    const data = Float32Array.from({ length: COUNT * size }, (_, i) =>
      valueAt(Math.floor(i / size), Math.floor((i % size) / channels), i % channels),
    )
    const shapes = Int32Array.from({ length: 4 * COUNT }, (_, i) => [1, SIDE, SIDE, channels][i % 4])
    const offsets = Float64Array.from({ length: COUNT + 1 }, (_, i) => i * size)
    const { integral, ...values } = valueStatistics({ layout: 'dense', data, offsets, shapes })
    const extent = { min: SIDE, median: SIDE, max: SIDE }
    const steps = { min: 1, median: 1, max: 1 }
    const matrix = { spec: { format: 'DENSE' }, values, integral, steps, rows: extent, cols: extent, channels }
    return { data, channels, profile: { matrices: [matrix] } as unknown as TaskProfile }
  }

  /** [COUNT, channels, rows, cols] as 256 grays. `declared`: sizes known only at run time. */
  async function graysOf(
    { data, channels, profile }: ReturnType<typeof picturesOf>,
    {
      side = SIDE,
      declared = [COUNT, 1, SIDE, SIDE] as readonly (number | string)[],
      front = pictureFront(profile, { rows: side, cols: side }),
    } = {},
  ): Promise<number[]> {
    const fed = { x: { shape: [COUNT, 1, SIDE, SIDE, channels], declared: [...declared, channels], data } }
    const { data: out } = await runGraph(engine, fed, (g, { x }) => front.build(g, null, [{ matrix: x, length: null }]))
    return Array.from(out, (value) => Math.round(255 * value))
  }

  const share = noise(COUNT * PIXELS, 5)
  const shareOf = (picture: number, pixel: number) => share[picture * PIXELS + pixel]
  const LARGEST = [1, 255, 10_000]
  const unlike = (picture: number, pixel: number, c: number) => LARGEST[c] * shareOf(picture, pixel) - Number(c === 2)

  test('of unlike channels keep their detail, in pictures of known and of varying sizes and in frames', async () => {
    const pictures = picturesOf(3, unlike)
    const grays = await graysOf(pictures)
    for (let c = 0; c < 3; c++) {
      const own = grays.slice(c * PIXELS, (c + 1) * PIXELS)
      own.forEach((gray, pixel) => {
        expect(Math.abs(gray - 255 * shareOf(0, pixel))).toBeLessThan(3)
      })
    }
    expect(await graysOf(pictures, { declared: ['n', 1, 'rows', 'cols'] })).toEqual(grays)
    expect(await graysOf(pictures, { front: framesFront(pictures.profile, 1) })).toEqual(grays)
  })

  test.each([
    ['far above', 1e6],
    ['far below', -3.4e38],
  ])('are not flattened by one stray value %s, nor are its neighbours when shrunk', async (_title, stray) => {
    const STRAY = 37
    const value = (picture: number, pixel: number) => 10 + shareOf(picture, pixel) / 10
    const plain = picturesOf(1, value)
    const hit = picturesOf(1, (picture, pixel) => (picture === 1 && pixel === STRAY ? stray : value(picture, pixel)))
    const [expected, grays] = [await graysOf(plain), await graysOf(hit)]
    const end = stray > 0 ? 255 : 0
    expect(new Set(expected).size).toBeGreaterThan(200)
    // Three spreads beyond the quantiles are left on the side of the stray value, so the others take up a quarter of the grays.
    grays.forEach((gray, i) => {
      const scaled = end === 255 ? expected[i] / 4 : 255 - (255 - expected[i]) / 4
      expect(Math.abs(gray - (i === PIXELS + STRAY ? end : scaled))).toBeLessThan(4)
    })
    const shrunk = await graysOf(hit, { side: SIDE / 2 })
    expect(Math.max(...shrunk.map((gray) => Math.abs(gray - (255 - end))))).toBeLessThan(100)
  })

  test('that are missing are the lower end of their channel', async () => {
    const grays = await graysOf(
      picturesOf(3, (picture, pixel, c) => (pixel === 9 && c > 0 ? Number.NaN : unlike(picture, pixel, c))),
    )
    expect([9 + PIXELS, 9 + 2 * PIXELS].map((at) => grays[at])).toEqual([0, 0])
    expect(grays[9]).toBeGreaterThan(0)
  })

  test('of a channel that is nearly always the same run between its extremes', () => {
    const { matrices } = picturesOf(2, (_, pixel, c) => (c === 0 ? -1 - pixel : pixel === 40 ? 100 : 0)).profile
    expect(valueRanges(matrices[0])).toEqual([
      { low: -PIXELS, high: -1 },
      { low: 0, high: 100 },
    ])
  })

  test.each([
    ['[0, 1]', (share: number, c: number) => (c === 0 ? share / 1000 : share), ''],
    ['whole bytes', (share: number, c: number) => Math.floor((c === 0 ? 4 : 256) * share), ':0:255'],
  ])('of several channels in %s are scaled together, as coded pictures are', (_title, valueAt, key) => {
    const { profile } = picturesOf(2, (picture, pixel, c) => valueAt(shareOf(picture, pixel), c))
    expect(profile.matrices[0].values.channels).toHaveLength(2)
    expect(pictureFront(profile).key).toBe(`picture:0:2x${SIDE}x${SIDE}${key}`)
  })

  test('tell fronts apart by the range of every channel', () => {
    const widened = (picture: number, pixel: number, c: number) => unlike(picture, pixel, c) * (c === 1 ? 2 : 1)
    const [one, other] = [unlike, widened].map((valueAt) => picturesOf(3, valueAt).profile)
    expect(pictureFront(one).key).not.toBe(pictureFront(other).key)
    expect(framesFront(one, 2).key).not.toBe(framesFront(other, 2).key)
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
