// Writing and reading back, in every spelling that the format allows.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DenseBatch, SparseBatch } from '../../src/dataset/batch.ts'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { EncodeOptions, ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { allRows, datasetSpec, makeDataset, matrixSpec, range } from './helpers.ts'

const SPELLINGS: [string, EncodeOptions & { shards?: number }][] = [
  ['packed lists', {}],
  ['unpacked lists', { packed: false }],
  ['integer lists', { integers: true }],
  ['unpacked integer lists', { packed: false, integers: true }],
  ['feature lists before the context', { contextLast: true }],
  ['three shards', { shards: 3 }],
  ['more shards than examples', { shards: 9 }],
]

async function readDense(folder: string, rows?: Int32Array, matrix = 0): Promise<DenseBatch> {
  const dataset = openDataset(folder)
  const batch = await dataset.train.read(rows ?? allRows(dataset.train.count), matrix)
  dataset.close()
  return batch as DenseBatch
}

function example(batch: DenseBatch, i: number): number[] {
  return [...batch.data.subarray(batch.offsets[i], batch.offsets[i + 1])]
}

function shape(batch: DenseBatch, i: number): number[] {
  return [...batch.shapes.subarray(i * 4, i * 4 + 4)]
}

describe.each(SPELLINGS)('DENSE as %s', (_title, options) => {
  it('gives ids, labels and values', async () => {
    const folder = makeDataset({}, options)
    const dataset = openDataset(folder)
    expect([...dataset.train.ids]).toEqual([3, 4, 5, 6, 7, 8])
    expect([...dataset.test!.ids]).toEqual([0, 1, 2])
    expect([...dataset.train.labels]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1])
    const batch = (await dataset.train.read(Int32Array.of(4, 0, 5, 4))) as DenseBatch
    expect([...batch.data]).toEqual([4, 5, 6, 7, 0, 1, 2, 3, 5, 6, 7, 8, 4, 5, 6, 7])
    expect([...batch.offsets]).toEqual([0, 4, 8, 12, 16])
    expect(shape(batch, 0)).toEqual([1, 1, 4, 1])
    dataset.close()
  })

  it('gives sequences of varying length', async () => {
    const lengths = [3, 0, 1, 40]
    const train = lengths.map(
      (length, i): ExampleToWrite => ({
        labels: [i % 2],
        matrices: [range(length).map((t) => [i * 100 + t])],
      }),
    )
    const spec = datasetSpec({ sequenceSize: -1, matrices: [matrixSpec({ cols: 1 })] })
    const folder = makeDataset({ spec, train, test: [] }, options)
    const batch = await readDense(folder, Int32Array.of(3, 0, 1, 2))
    expect(range(4).map((i) => shape(batch, i)[0])).toEqual([40, 3, 0, 1])
    expect(example(batch, 0)).toEqual(range(40).map((t) => 300 + t))
    expect(example(batch, 1)).toEqual([0, 1, 2])
    expect(example(batch, 3)).toEqual([200])
  })
})

describe('DENSE', () => {
  const one = (spec: ReturnType<typeof datasetSpec>, matrices: ExampleToWrite['matrices']) =>
    makeDataset({ spec, train: [{ labels: [0], matrices }], test: [] })

  it('fills short lists and missing steps with zeros', async () => {
    const spec = datasetSpec({ sequenceSize: 4, matrices: [matrixSpec({ rows: 2, cols: 2 })] })
    const batch = await readDense(one(spec, [[[1, 2], [3], [4, 5, 6, 7]]]))
    expect(shape(batch, 0)).toEqual([4, 2, 2, 1])
    expect(example(batch, 0)).toEqual([1, 2, 0, 0, 3, 0, 0, 0, 4, 5, 6, 7, 0, 0, 0, 0])
  })

  it('fills equally short lists too', async () => {
    const spec = datasetSpec({ sequenceSize: 2 })
    const batch = await readDense(
      one(spec, [
        [
          [1, 2],
          [3, 4],
        ],
      ]),
    )
    expect(example(batch, 0)).toEqual([1, 2, 0, 0, 3, 4, 0, 0])
  })

  it.each([
    ['rows', matrixSpec({ rows: -1, cols: 3 }), [1, 2, 3, 1]],
    ['columns', matrixSpec({ rows: 3, cols: -1 }), [1, 3, 2, 1]],
    ['rows and columns', matrixSpec({ rows: -1, cols: -1 }), [1, 1, 6, 1]],
  ])('works out %s that vary', async (_title, matrix, expected) => {
    const batch = await readDense(one(datasetSpec({ matrices: [matrix] }), [[range(6)]]))
    expect(shape(batch, 0)).toEqual(expected)
    expect(example(batch, 0)).toEqual(range(6))
  })

  it('keeps large steps exact, whatever their alignment', async () => {
    const values = range(1000).map((i) => Math.fround(Math.sin(i) * 1e6))
    const spec = datasetSpec({ name: 'toy', sequenceSize: 2, matrices: [matrixSpec({ rows: 10, cols: 100 })] })
    const batch = await readDense(one(spec, [[values, values.toReversed()]]))
    expect(example(batch, 0)).toEqual([...values, ...values.toReversed()])
  })

  it('reads several matrices of an example separately', async () => {
    const spec = datasetSpec({ matrices: [matrixSpec({ cols: 2 }), matrixSpec({ cols: 3 })] })
    const folder = one(spec, [[[1, 2]], [[3, 4, 5]]])
    expect(example(await readDense(folder, undefined, 0), 0)).toEqual([1, 2])
    expect(example(await readDense(folder, undefined, 1), 0)).toEqual([3, 4, 5])
  })

  it('keeps NaN, makes infinite values NaN, and counts both once per row', async () => {
    const spec = datasetSpec()
    const values = [Number.NaN, Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY]
    const dataset = openDataset(one(spec, [[values]]))
    for (let repeat = 0; repeat < 2; repeat++) {
      const batch = (await dataset.train.read(allRows(1))) as DenseBatch
      expect(example(batch, 0)).toEqual([Number.NaN, Number.NaN, 1, Number.NaN])
    }
    expect(dataset.train.oddValues[0]).toMatchObject({ nan: 1, infinite: 2, rows: 1 })
    dataset.close()
  })

  it('reads thousands of rows in random order', async () => {
    const count = 3000
    const train = range(count).map((i): ExampleToWrite => ({ labels: [i % 2], matrices: [[[i, -i, i / 2, 1]]] }))
    const dataset = openDataset(makeDataset({ train, test: [] }, { shards: 4 }))
    const rows = Int32Array.from({ length: 2000 }, (_, i) => (i * 1237) % count)
    const batch = (await dataset.train.read(rows)) as DenseBatch
    rows.forEach((row, i) => {
      expect(example(batch, i)).toEqual([row, -row, row / 2, 1])
    })
    dataset.close()
  })
})

describe('SPARSE', () => {
  const sparse = (
    entries: ExampleToWrite['matrices'][number],
    matrix = matrixSpec({ rows: 2, cols: 3, format: 'SPARSE' }),
  ) =>
    makeDataset({ spec: datasetSpec({ matrices: [matrix] }), train: [{ labels: [1], matrices: [entries] }], test: [] })
  const read = async (folder: string) => {
    const dataset = openDataset(folder)
    const batch = (await dataset.train.read(allRows(1))) as SparseBatch
    dataset.close()
    return { width: batch.width, indptr: [...batch.indptr], indices: [...batch.indices], values: [...batch.values] }
  }

  it('is sorted, with duplicates summed', async () => {
    const batch = await read(sparse({ rows: [1, 0, 1, 0], cols: [2, 1, 2, 0], values: [5, 6, 7, 8] }))
    expect(batch).toEqual({ width: 6, indptr: [0, 3], indices: [0, 1, 5], values: [8, 6, 12] })
  })

  it('may hold whole numbers, more of them than a small list of floats', async () => {
    const cols = range(1500)
    const folder = makeDataset(
      {
        spec: datasetSpec({ matrices: [matrixSpec({ rows: 1, cols: 1500, format: 'SPARSE' })] }),
        train: [0, 1].map((add) => ({
          labels: [add],
          matrices: [{ rows: cols.map(() => 0), cols, values: cols.map((i) => 1 + add + (i % 7)) }],
        })),
        test: [],
      },
      { integers: true },
    )
    const dataset = openDataset(folder)
    const batch = (await dataset.train.read(allRows(2))) as SparseBatch
    dataset.close()
    expect([...batch.indptr]).toEqual([0, 1500, 3000])
    expect([batch.values[8], batch.values[1508]]).toEqual([2, 3])
  })

  it('has channels where the record gives them', async () => {
    const matrix = matrixSpec({ rows: 1, cols: 2, channels: 2, format: 'SPARSE' })
    const batch = await read(sparse({ rows: [0, 0], cols: [0, 1], channels: [1, 0], values: [3, 4] }, matrix))
    expect(batch).toEqual({ width: 4, indptr: [0, 2], indices: [1, 2], values: [3, 4] })
  })

  it('takes the width of open axes from the data, test included', async () => {
    const matrix = matrixSpec({ rows: 1, cols: -1, format: 'SPARSE' })
    const folder = makeDataset({
      spec: datasetSpec({ matrices: [matrix] }),
      train: [{ labels: [1], matrices: [{ rows: [0], cols: [4], values: [1] }] }],
      test: [{ labels: [], matrices: [{ rows: [0], cols: [9], values: [1] }] }],
    })
    expect((await read(folder)).width).toBe(10)
  })

  it('may have examples without entries, and counts odd values', async () => {
    const folder = makeDataset({
      spec: datasetSpec({ matrices: [matrixSpec({ format: 'SPARSE' })] }),
      train: [
        { labels: [0], matrices: [{ rows: [], cols: [], values: [] }] },
        { labels: [1], matrices: [{ rows: [0, 0], cols: [1, 2], values: [Number.POSITIVE_INFINITY, Number.NaN] }] },
      ],
      test: [],
    })
    const dataset = openDataset(folder)
    const batch = (await dataset.train.read(Int32Array.of(1, 0, 1))) as SparseBatch
    expect([...batch.indptr]).toEqual([0, 2, 2, 4])
    expect([...batch.values]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
    expect(dataset.train.oddValues[0]).toMatchObject({ nan: 1, infinite: 1, rows: 2 })
    dataset.close()
  })
})

describe('ids and labels', () => {
  it('numbers examples that have no id as the public files do', () => {
    const nameless = (labels: number[]): ExampleToWrite => ({ id: null, labels, matrices: [[[0, 0, 0, 0]]] })
    const dataset = openDataset(
      makeDataset({ train: [nameless([0]), nameless([1])], test: [nameless([]), nameless([])] }),
    )
    expect([...dataset.test!.ids]).toEqual([0, 1])
    expect([...dataset.train.ids]).toEqual([2, 3])
    dataset.close()
  })

  it('keeps large and negative ids', () => {
    const train = [2 ** 40 + 1, -5].map((id): ExampleToWrite => ({ id, labels: [0], matrices: [[[0, 0, 0, 0]]] }))
    const dataset = openDataset(makeDataset({ train, test: [] }))
    expect([...dataset.train.ids]).toEqual([2 ** 40 + 1, -5])
    dataset.close()
  })

  it.each(SPELLINGS)('several labels with scores, %s', (_title, options) => {
    const matrices = [[[0, 0, 0, 0]]]
    const train: ExampleToWrite[] = [
      { labels: [2, { index: 200, score: 0.25 }], matrices },
      { labels: [], matrices },
      { labels: [{ index: 1, score: 0.5 }, 1], matrices },
    ]
    const spec = datasetSpec({ outputDim: 201, labelNames: range(201).map(String) })
    const dataset = openDataset(makeDataset({ spec, train, test: [] }, options))
    const { labels } = dataset.train
    const nonzero = [...labels].flatMap((value, at) => (value === 0 ? [] : [[at, value]]))
    expect(nonzero).toEqual([
      [2, 1],
      [200, 0.25],
      [402 + 1, 1],
    ])
    dataset.close()
  })

  it('never reads labels of test records, even where an old file keeps them', () => {
    const folder = makeDataset()
    // The training split as a test split: its records carry labels.
    const dataset = openDataset(makeDatasetWithLabelledTest(folder))
    expect(dataset.test!.count).toBe(6)
    expect(dataset.test!.labels).toHaveLength(0)
    expect([...dataset.test!.labelLists.start]).toEqual([0, 0, 0, 0, 0, 0, 0])
    dataset.close()
  })

  it('finds the context behind feature lists of many kilobytes', async () => {
    const spec = datasetSpec({ matrices: [matrixSpec({ cols: 5000 })] })
    const train = range(5).map(
      (i): ExampleToWrite => ({ labels: [i % 2], matrices: [[range(5000).map((j) => i + j)]] }),
    )
    const dataset = openDataset(makeDataset({ spec, train, test: [] }, { contextLast: true }))
    expect([...dataset.train.ids]).toEqual([0, 1, 2, 3, 4])
    expect([...dataset.train.labels]).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 0])
    dataset.close()
  })
})

function makeDatasetWithLabelledTest(folder: string): string {
  const data = join(folder, 'toy.data')
  rmSync(join(data, 'test'), { recursive: true })
  cpSync(join(data, 'train'), join(data, 'test'), { recursive: true })
  return folder
}
