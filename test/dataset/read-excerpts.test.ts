// Excerpts of long sequences are the middles of what reading whole gives, in every spelling, and what is wrong with them is still told.
import { readFileSync, truncateSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DenseBatch } from '../../src/dataset/batch.ts'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { EncodeOptions, ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { excerptStart } from '../../src/dataset/excerpt.ts'
import type { MatrixSpec } from '../../src/dataset/spec.ts'
import { allRows, alter, dataError, datasetSpec, makeDataset, matrixSpec, range, recordFile } from './helpers.ts'

const COUNT = 5
const LENGTHS = [40, 5, 6, 0, 1, 7, 33]

/** Example i has the values 100 i, 100 i + 1, … in steps of `width`. */
function example(i: number, length: number, width = 1): ExampleToWrite {
  const step = (t: number) => range(width).map((j) => 100 * i + t * width + j)
  return { labels: [i % 2], matrices: [range(length).map(step)] }
}

function sequences(
  sequenceSize: number,
  options: EncodeOptions & { shards?: number } = {},
  matrix = matrixSpec({ cols: 1 }),
) {
  const spec = datasetSpec({ isSequence: true, sequenceSize, matrices: [matrix] })
  const train = LENGTHS.map((length, i) => example(i, length, matrix.rows * matrix.cols))
  return makeDataset({ spec, train, test: [] }, options)
}

/** Values and shapes of each example. */
function examples({ data, offsets, shapes }: DenseBatch) {
  return range(offsets.length - 1).map((i) => ({
    shape: [...shapes.subarray(i * 4, i * 4 + 4)],
    values: [...data.subarray(offsets[i], offsets[i + 1])],
  }))
}

function middle({ shape, values }: { shape: number[]; values: number[] }) {
  const [steps, ...step] = shape
  const width = step.reduce((a, b) => a * b, 1)
  const first = excerptStart(steps, COUNT)
  const kept = Math.min(COUNT, steps)
  return { shape: [kept, ...step], values: values.slice(first * width, (first + kept) * width) }
}

async function read(folder: string, count?: number, rows?: Int32Array) {
  const dataset = openDataset(folder)
  try {
    return (await dataset.train.read(rows ?? allRows(dataset.train.count), 0, count)) as DenseBatch
  } finally {
    dataset.close()
  }
}

describe('an excerpt', () => {
  it.each([
    ['the middle of an odd rest', 12, 5, 3],
    ['the middle of an even rest', 13, 5, 4],
    ['all of a sequence as long', 5, 5, 0],
    ['all of a shorter sequence', 2, 5, 0],
  ])('is %s', (_title, steps, count, first) => {
    expect(excerptStart(steps, count)).toBe(first)
  })
})

const SPELLINGS: [string, EncodeOptions & { shards?: number }][] = [
  ['packed lists', {}],
  ['unpacked lists', { packed: false }],
  ['integer lists', { integers: true }],
  ['feature lists before the context', { contextLast: true }],
  ['three shards', { shards: 3 }],
  ['more shards than examples', { shards: 9 }],
]
const SIZES: [string, number][] = [
  ['of any length', -1],
  ['of one length, some stored shorter', 40],
  ['of one length, all stored shorter', 120],
]

describe.each(SIZES)('excerpts of sequences %s', (_title, sequenceSize) => {
  it.each(SPELLINGS)('are their middles, as %s', async (_spelling, options) => {
    const folder = sequences(sequenceSize, options)
    const whole = examples(await read(folder))
    expect(examples(await read(folder, COUNT))).toEqual(whole.map(middle))
    const rows = Int32Array.of(6, 0, 3, 0, 2)
    expect(examples(await read(folder, COUNT, rows))).toEqual(Array.from(rows, (row) => middle(whole[row])))
  })

  it('are their middles where a step is a matrix', async () => {
    const folder = sequences(sequenceSize, {}, matrixSpec({ rows: 2, cols: 3 }))
    const whole = examples(await read(folder))
    expect(examples(await read(folder, COUNT))).toEqual(whole.map(middle))
  })
})

describe('excerpts', () => {
  const toy = (lengths: number[], over: Partial<MatrixSpec> = {}) => {
    const spec = datasetSpec({ sequenceSize: -1, matrices: [matrixSpec({ cols: 1, ...over })] })
    return makeDataset({ spec, train: lengths.map((length, i) => example(i, length)), test: [] })
  }
  /** Flips a byte of value `step` of the last record, which has `length` values, and of its framing at `at`. */
  const flip = (folder: string, length: number, step: number, at: number) =>
    alter(recordFile(folder), (bytes) => {
      bytes[bytes.length - 4 - (length - step) * 10 + at] ^= 1
      return bytes
    })
  const VALUE = 7
  const FRAMING = 5

  it('of records with thousands of labels are found too', async () => {
    const labels = range(2000)
    const spec = datasetSpec({
      sequenceSize: -1,
      outputDim: 2000,
      labelNames: labels.map(String),
      matrices: [matrixSpec({ cols: 1 })],
    })
    const folder = makeDataset({ spec, train: [{ ...example(1, 40), labels }], test: [] })
    expect(readFileSync(recordFile(folder)).length).toBeGreaterThan(8000)
    expect(examples(await read(folder, COUNT))).toEqual(examples(await read(folder)).map(middle))
  })

  it('of the second matrix are its own', async () => {
    const spec = datasetSpec({ sequenceSize: -1, matrices: [matrixSpec({ cols: 1 }), matrixSpec({ cols: 1 })] })
    const matrices = [0, 1].map((i) => range(2000).map((t) => [i * 4096 + t]))
    const dataset = openDataset(makeDataset({ spec, train: [{ labels: [0], matrices }], test: [] }))
    const excerpt = (await dataset.train.read(allRows(1), 1, COUNT)) as DenseBatch
    expect([...excerpt.data]).toEqual(range(COUNT).map((t) => 4096 + 997 + t))
    dataset.close()
  })

  it('have NaN for infinite values; only whole rows are counted', async () => {
    const values = range(40).map((t) => [t])
    values[18] = [Number.POSITIVE_INFINITY]
    values[20] = [Number.NaN]
    const spec = datasetSpec({ sequenceSize: -1, matrices: [matrixSpec({ cols: 1 })] })
    const dataset = openDataset(makeDataset({ spec, train: [{ labels: [0], matrices: [values] }], test: [] }))
    const excerpt = (await dataset.train.read(allRows(1), 0, COUNT)) as DenseBatch
    expect([...excerpt.data]).toEqual([17, Number.NaN, 19, Number.NaN, 21])
    expect(dataset.train.oddValues[0]).toMatchObject({ nan: 0, infinite: 0, rows: 0 })
    await dataset.train.read(allRows(1))
    expect(dataset.train.oddValues[0]).toMatchObject({ nan: 1, infinite: 1, rows: 1 })
    dataset.close()
  })

  it('need not read the rest: a value altered there is found when the record is read whole', async () => {
    const folder = toy([40, 40])
    flip(folder, 40, 3, VALUE)
    expect(examples(await read(folder, COUNT))[1].values).toEqual(range(COUNT).map((t) => 100 + 17 + t))
    const { code, fault } = await dataError(() => read(folder))
    expect([code, fault.record, fault.rule]).toEqual(['DATA_RECORD', 1, expect.stringContaining('checksum mismatch')])
  })

  it.each([
    ['the framing of a value in it is altered', 40, 19, FRAMING],
    ['a value of a sequence that is no longer is altered', 5, 2, VALUE],
  ])('are refused when %s', async (_title, length, step, at) => {
    const folder = toy([40, length])
    flip(folder, length, step, at)
    const { code, fault } = await dataError(() => read(folder, COUNT))
    expect([code, fault.record, fault.rule]).toEqual(['DATA_RECORD', 1, expect.stringContaining('checksum mismatch')])
  })

  it('are refused when the file became shorter', async () => {
    const folder = toy([40, 2000])
    const dataset = openDataset(folder)
    truncateSync(recordFile(folder), 3000)
    const { fault } = await dataError(() => dataset.train.read(allRows(2), 0, COUNT))
    expect([fault.record, fault.rule]).toEqual([1, 'the file became shorter while it was read'])
    dataset.close()
  })

  it('are refused when a sequence is longer than the specification says', async () => {
    const spec = datasetSpec({ sequenceSize: 30, matrices: [matrixSpec({ cols: 1 })] })
    const folder = makeDataset({ spec, train: [example(0, 40)], test: [] })
    const { fault } = await dataError(() => read(folder, COUNT))
    expect(fault.rule).toBe('holds 40 steps; must be at most sequence_size 30')
  })
})
