import { describe, expect, it } from 'vitest'
import type { MatrixBatch } from '../../src/dataset/batch.ts'
import type { TaskProfile } from '../../src/dataset/profile.ts'
import { type FeedBatch, feedBatches } from '../../src/search/model-inputs.ts'

/** Example of `steps` steps of [1, 1, channels] floats, each value its example's number. */
function sequences(steps: readonly number[], channels: number): MatrixBatch {
  const offsets = new Float64Array(steps.length + 1)
  const shapes = new Int32Array(steps.length * 4)
  for (const [i, t] of steps.entries()) {
    offsets[i + 1] = offsets[i] + t * channels
    shapes.set([t, 1, 1, channels], i * 4)
  }
  const data = new Float32Array(offsets[steps.length])
  for (let i = 0; i < steps.length; i++) data.fill(i, offsets[i], offsets[i + 1])
  return { layout: 'dense', data, offsets, shapes }
}

function profileOf(sequenceSize: number, matrices: object[]): TaskProfile {
  const whole = matrices.map((matrix) => ({
    fixed: false,
    channels: 1,
    spec: { format: 'DENSE', rows: 1, cols: 1 },
    ...matrix,
  }))
  return { trainCount: 1000, trainBytes: 1e5, spec: { sequenceSize }, matrices: whole } as unknown as TaskProfile
}

async function collect(
  profile: TaskProfile,
  batch: MatrixBatch,
  wanted: string[],
  maxRows = 100,
): Promise<FeedBatch[]> {
  const count = batch.layout === 'dense' ? batch.offsets.length - 1 : batch.indptr.length - 1
  const rows = Int32Array.from({ length: count }, (_, i) => i)
  const all: FeedBatch[] = []
  const options = { wanted: new Set(wanted), maxRows }
  for await (const each of feedBatches(async () => batch, profile, 'test', rows, options)) all.push(each)
  return all
}

const shapesOf = (batches: FeedBatch[]) => batches.map(({ feeds }) => feeds.matrix_0.shape)

describe('feedBatches', () => {
  it('puts sequences of similar length together, padded with zeros, with their lengths', async () => {
    const batches = await collect(profileOf(-1, [{}]), sequences([40, 3, 0, 42, 5], 1), ['matrix_0', 'length_0'])
    expect(shapesOf(batches)).toEqual([
      [3, 5, 1, 1, 1],
      [2, 42, 1, 1, 1],
    ])
    expect(batches.map(({ positions }) => Array.from(positions))).toEqual([
      [2, 1, 4],
      [0, 3],
    ])
    expect(batches[0].feeds.length_0.data).toEqual(BigInt64Array.of(0n, 3n, 5n))
    expect(Array.from(batches[0].feeds.matrix_0.data as Float32Array)).toEqual([
      0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 4, 4, 4, 4, 4,
    ])
  })

  it('gives an empty sequence one step to stand on', async () => {
    const [batch] = await collect(profileOf(-1, [{}]), sequences([0], 2), ['matrix_0', 'length_0'])
    expect(batch.feeds.matrix_0.shape).toEqual([1, 1, 1, 1, 2])
    expect(batch.feeds.length_0.data).toEqual(BigInt64Array.of(0n))
  })

  it('keeps examples of different fixed sizes apart, and batches small', async () => {
    const batches = await collect(profileOf(5, [{}]), sequences([5, 5, 5, 5, 5], 1), ['matrix_0'], 2)
    expect(shapesOf(batches)).toEqual([
      [2, 5, 1, 1, 1],
      [2, 5, 1, 1, 1],
      [1, 5, 1, 1, 1],
    ])
    expect(batches.flatMap(({ positions }) => Array.from(positions))).toEqual([0, 1, 2, 3, 4])
  })

  it('spreads sparse rows out', async () => {
    const sparse: MatrixBatch = {
      layout: 'sparse',
      indptr: Int32Array.of(0, 2, 2),
      indices: Int32Array.of(1, 3),
      values: Float32Array.of(5, 7),
      width: 4,
    }
    const one = { min: 1, median: 1, max: 1 }
    const matrix = {
      steps: one,
      rows: one,
      cols: { min: 4, median: 4, max: 4 },
      spec: { format: 'SPARSE', rows: 1, cols: 4 },
    }
    const [batch] = await collect(profileOf(1, [matrix]), sparse, ['matrix_0'])
    expect(batch.feeds.matrix_0.shape).toEqual([2, 1, 1, 4, 1])
    expect(Array.from(batch.feeds.matrix_0.data as Float32Array)).toEqual([0, 5, 0, 7, 0, 0, 0, 0])
  })

  it('reads pictures as parts of 255 and no matrix that no one wants', async () => {
    const picture: MatrixBatch = {
      layout: 'dense',
      data: Uint8Array.of(0, 51, 255),
      offsets: Float64Array.of(0, 3),
      shapes: Int32Array.of(1, 1, 3, 1),
    }
    const size = { min: 3, median: 3, max: 3 }
    const one = { min: 1, median: 1, max: 1 }
    const matrix = { fixed: true, steps: one, rows: one, cols: size, spec: { format: 'COMPRESSED', rows: 1, cols: 3 } }
    const [batch] = await collect(profileOf(1, [matrix, matrix]), picture, ['matrix_1'])
    expect(Object.keys(batch.feeds)).toEqual(['matrix_1'])
    expect(Array.from(batch.feeds.matrix_1.data as Float32Array)).toEqual([0, 51, 255].map((x) => Math.fround(x / 255)))
  })
})

describe('pictures', () => {
  const sizes = [
    [2, 3],
    [1, 2],
    [2, 3],
  ]
  const pixels = sizes.flatMap(([rows, cols], i) => Array.from({ length: rows * cols }, (_, k) => 40 * i + k))
  const pictures = (): MatrixBatch => ({
    layout: 'dense',
    data: Uint8Array.from(pixels),
    offsets: Float64Array.of(0, 6, 8, 14),
    shapes: Int32Array.from(sizes.flatMap(([rows, cols]) => [1, rows, cols, 1])),
  })
  const profile = profileOf(1, [{ spec: { format: 'COMPRESSED', rows: -1, cols: -1 } }])
  const rows = Int32Array.of(0, 1, 2)

  it.each([
    ['bytes', true, 'uint8', 1],
    ['x / 255', false, 'float32', 255],
  ])('of several sizes are fed as %s', async (_name, bytes, type, divisor) => {
    const options = { wanted: new Set(['matrix_0']), maxRows: 10, bytes }
    const seen: Record<string, number[]> = {}
    for await (const { positions, feeds } of feedBatches(async () => pictures(), profile, 'test', rows, options)) {
      expect(feeds.matrix_0.type).toBe(type)
      seen[positions.join()] = Array.from(feeds.matrix_0.data as Float32Array, (value) => Math.round(value * divisor))
    }
    expect(seen).toEqual({ '0,2': [...pixels.slice(0, 6), ...pixels.slice(8)], '1': pixels.slice(6, 8) })
  })
})
