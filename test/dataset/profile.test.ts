// The task profile, and what kind of data a dataset is taken for. Values are synthetic and random, but seeded.
import { describe, expect, it } from 'vitest'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { profileDataset, type TaskProfile } from '../../src/dataset/profile.ts'
import type { DatasetSpec, MatrixSpec } from '../../src/dataset/spec.ts'
import { Rng } from '../../src/support/rng.ts'
import { datasetSpec, grayPng, makeDataset, matrixSpec, range } from './helpers.ts'

async function profileOf(
  spec: DatasetSpec,
  train: ExampleToWrite[],
  test: ExampleToWrite[] = [],
): Promise<TaskProfile> {
  const dataset = openDataset(makeDataset({ spec, train, test }))
  try {
    return await profileDataset(dataset)
  } finally {
    dataset.close()
  }
}

const rng = Rng.fromSeed(11)
const noise = (n: number) => range(n).map(() => rng.normal())
const tokens = (n: number) => range(n).map(() => Math.floor(rng.uniform() ** 2 * 500))
/** Decaying hum of a random pitch, as 16-bit samples. */
const clip = (n: number) => {
  const pitch = 0.1 + 0.3 * rng.uniform()
  return range(n).map((t) => Math.round(3000 * Math.sin(pitch * t) * Math.exp(-t / n) + 50 * rng.normal()))
}
const walk = (n: number) => {
  let at = 0
  return range(n).map(() => (at += rng.normal()))
}
const ORDERED = { isSequenceRow: true, isSequenceCol: true, hasLocalityRow: true, hasLocalityCol: true }
const LOCAL = { hasLocalityRow: true, hasLocalityCol: true }
const steps = (values: number[]) => values.map((value) => [value])
const varying = (i: number, length: number) => length + (i % 5) * Math.ceil(length / 10)

interface Case {
  matrix: Partial<MatrixSpec>
  spec?: Partial<DatasetSpec>
  example: (i: number) => ExampleToWrite['matrices'][number]
}

const png = grayPng(8, 8, (x, y) => x * y)
/** Every fourth value missing. */
const holed = (values: number[]) => values.map((value, i) => (i % 4 === 1 ? Number.NaN : value))

const CASES: [string, TaskProfile['kind'], string, Case][] = [
  [
    'one encoded picture',
    'image',
    'one encoded picture',
    { matrix: { rows: 8, cols: 8, format: 'COMPRESSED' }, example: () => [png] },
  ],
  [
    'several encoded pictures',
    'video',
    '3 encoded pictures',
    { matrix: { rows: 8, cols: 8, format: 'COMPRESSED' }, spec: { sequenceSize: 3 }, example: () => [png, png, png] },
  ],
  [
    'a varying number of encoded pictures',
    'video',
    'several encoded pictures',
    {
      matrix: { rows: 8, cols: 8, format: 'COMPRESSED' },
      spec: { sequenceSize: -1 },
      example: (i) => range(1 + (i % 3)).map(() => png),
    },
  ],
  [
    'a dense matrix with locality',
    'image',
    'order along both axes',
    { matrix: { rows: 6, cols: 5, ...LOCAL }, example: () => [noise(30)] },
  ],
  [
    'a dense matrix with all flags set',
    'image',
    'order along both axes',
    { matrix: { rows: 6, cols: 5, ...ORDERED }, example: () => [noise(30)] },
  ],
  [
    'a dense matrix without any flag',
    'table',
    'neither locality nor sequence',
    { matrix: { rows: 6, cols: 5 }, example: () => [noise(30)] },
  ],
  [
    'a matrix whose rows alone are a sequence',
    'series',
    '30 rows that are a sequence',
    { matrix: { rows: 30, cols: 2, isSequenceRow: true }, example: () => [noise(60)] },
  ],
  [
    'a matrix whose columns alone are local',
    'series',
    '30 columns that are local',
    { matrix: { rows: 2, cols: 30, hasLocalityCol: true }, example: () => [noise(60)] },
  ],
  ['a row without flags', 'table', '7 features', { matrix: { cols: 7 }, example: () => [noise(7)] }],
  [
    'a row with all flags set and unrelated columns',
    'table',
    'the shape decides',
    { matrix: { cols: 30, ...ORDERED }, example: () => [noise(30)] },
  ],
  [
    'a row with all flags set and smooth columns',
    'series',
    'move together',
    { matrix: { cols: 60, ...ORDERED }, example: () => [walk(60)] },
  ],
  [
    'a row with all flags set and smooth columns with holes',
    'series',
    'move together',
    { matrix: { cols: 60, ...ORDERED }, example: () => [holed(walk(60))] },
  ],
  [
    'a row whose columns are a sequence',
    'series',
    '30 columns that are a sequence with locality',
    { matrix: { cols: 30, isSequenceCol: true, hasLocalityCol: true }, example: () => [walk(30)] },
  ],
  [
    'a column whose rows are a sequence',
    'series',
    '40 rows that are a sequence',
    { matrix: { rows: 40, cols: 1, isSequenceRow: true }, example: () => [walk(40)] },
  ],
  ['a single value', 'table', 'a single value', { matrix: { cols: 1, ...ORDERED }, example: () => [noise(1)] }],
  [
    'sparse features',
    'table',
    'sparse features',
    {
      matrix: { cols: 50, format: 'SPARSE' },
      example: (i) => ({ rows: [0, 0], cols: [i % 50, (i + 9) % 50].sort((a, b) => a - b), values: [1, 2] }),
    },
  ],
  [
    'token ids with a vocabulary',
    'text',
    'a vocabulary of 500',
    {
      matrix: { cols: 1 },
      spec: { sequenceSize: -1, vocabulary: range(500).map((i) => `w${i}`) },
      example: (i) => steps(tokens(varying(i, 12))),
    },
  ],
  [
    'token ids without a vocabulary',
    'text',
    'token ids without a vocabulary',
    { matrix: { cols: 1 }, spec: { sequenceSize: -1 }, example: (i) => steps(tokens(varying(i, 40))) },
  ],
  [
    'long oscillating samples',
    'audio',
    'a waveform',
    { matrix: { cols: 1, ...LOCAL }, spec: { sequenceSize: -1 }, example: (i) => steps(clip(varying(i, 1500))) },
  ],
  [
    'short clips of varying length',
    'audio',
    'a waveform',
    { matrix: { cols: 1 }, spec: { sequenceSize: -1 }, example: (i) => steps(clip(varying(i, 600))) },
  ],
  [
    'long clips of equal length',
    'audio',
    'a waveform',
    { matrix: { cols: 1 }, spec: { sequenceSize: 3000 }, example: () => steps(clip(3000)) },
  ],
  [
    'a waveform of which samples are missing',
    'audio',
    'a waveform',
    { matrix: { cols: 1 }, spec: { sequenceSize: 3000 }, example: () => steps(holed(clip(3000))) },
  ],
  [
    'a short signal',
    'series',
    'only about',
    { matrix: { cols: 1 }, spec: { sequenceSize: 60 }, example: () => steps(walk(60)) },
  ],
  [
    'a drifting long signal',
    'series',
    'does not oscillate',
    { matrix: { cols: 1 }, spec: { sequenceSize: 700 }, example: () => steps(walk(700)) },
  ],
  [
    'few whole numbers a step',
    'series',
    'one value a step',
    { matrix: { cols: 1 }, spec: { sequenceSize: 50 }, example: () => steps(range(50).map(() => rng.below(4))) },
  ],
  [
    'a row at each step',
    'series',
    '1x6 values at each step',
    { matrix: { cols: 6 }, spec: { sequenceSize: 20 }, example: () => range(20).map(() => noise(6)) },
  ],
  [
    'channels at each step',
    'series',
    '3 channels',
    {
      matrix: { cols: 1, channels: 3 },
      spec: { sequenceSize: -1 },
      example: (i) => range(varying(i, 20)).map(() => noise(3)),
    },
  ],
  [
    'a dense matrix with locality at each step',
    'video',
    'with locality',
    { matrix: { rows: 4, cols: 4, ...LOCAL }, spec: { sequenceSize: 5 }, example: () => range(5).map(() => noise(16)) },
  ],
  [
    'a dense matrix without flags at each step',
    'series',
    'channels of a series',
    { matrix: { rows: 4, cols: 4 }, spec: { sequenceSize: 5 }, example: () => range(5).map(() => noise(16)) },
  ],
]

describe('the kind of', () => {
  it.each(CASES)('%s is %s', async (_title, kind, reason, { matrix, spec, example }) => {
    const train = range(20).map((i): ExampleToWrite => ({ labels: [i % 2], matrices: [example(i)] }))
    const profile = await profileOf(datasetSpec({ matrices: [matrixSpec(matrix)], ...spec }), train)
    expect({ kind: profile.kind, reason: profile.reason }).toEqual({ kind, reason: expect.stringContaining(reason) })
  })

  it('several matrices is that of the first that is no table', async () => {
    const spec = datasetSpec({
      matrices: [matrixSpec({ cols: 3 }), matrixSpec({ rows: 8, cols: 8, format: 'COMPRESSED' })],
    })
    const train = range(4).map((): ExampleToWrite => ({ labels: [0], matrices: [[noise(3)], [png]] }))
    const { kind, reason, kinds } = await profileOf(spec, train)
    expect([kind, reason]).toEqual(['image', 'matrix 1 of 2: each example is one encoded picture'])
    expect(kinds).toEqual(['table', 'image'])
  })
})

describe('a profile', () => {
  it('counts classes, and several labels', async () => {
    const matrices = [[[0, 0, 0, 0]]]
    const spec = datasetSpec({ outputDim: 3, labelNames: ['a', 'b', 'c'] })
    const one = await profileOf(spec, [
      { labels: [0], matrices },
      { labels: [0], matrices },
      { labels: [2], matrices },
    ])
    expect([one.classCount, one.classCounts, one.multiLabel]).toEqual([3, [2, 0, 1], false])
    expect(one.warnings.join()).toContain('1 of 3 classes have no training example (b)')
    const several = await profileOf(spec, [{ labels: [0, 2], matrices }])
    expect([several.classCounts, several.multiLabel]).toEqual([[1, 0, 1], true])
    const zeros = [0, 1, 2].map((index) => ({ index, score: index === 1 ? 1 : 0 }))
    const listed = await profileOf(spec, [
      { labels: zeros, matrices },
      { labels: [2, 2], matrices },
    ])
    expect([listed.classCounts, listed.multiLabel]).toEqual([[0, 1, 2], false])
  })

  it('knows the width of sparse examples whose columns are open', async () => {
    const spec = datasetSpec({ matrices: [matrixSpec({ cols: -1, format: 'SPARSE' })] })
    const { matrices, spec: known } = await profileOf(spec, [
      { labels: [0], matrices: [{ rows: [0], cols: [11], values: [1] }] },
      { labels: [1], matrices: [{ rows: [0], cols: [3], values: [2] }] },
    ])
    expect([matrices[0].cols.max, matrices[0].fixed, known.matrices[0].cols]).toEqual([12, true, 12])
  })

  it('states sizes, ranges and missing values', async () => {
    const train = range(10).map(
      (i): ExampleToWrite => ({
        labels: [i % 2],
        matrices: [[[i, 0, i === 0 ? Number.NaN : 0, i === 1 ? Number.POSITIVE_INFINITY : 0.5]]],
      }),
    )
    const { matrices, trainBytes, trainCount, testCount, warnings } = await profileOf(
      datasetSpec(),
      train,
      train.slice(0, 2),
    )
    expect([trainCount, testCount, trainBytes]).toEqual([10, 2, 160])
    expect(matrices[0]).toMatchObject({
      steps: { min: 1, median: 1, max: 1 },
      cols: { min: 4, median: 4, max: 4 },
      fixed: true,
      integral: false,
      channels: 1,
    })
    expect(matrices[0].values).toMatchObject({ min: 0, max: 9 })
    expect(matrices[0].values.mean).toBeCloseTo((45 + 9 * 0.5) / 38, 6)
    expect(matrices[0].missing).toBeCloseTo(1 / 40, 9)
    expect(matrices[0].infinite).toBeCloseTo(1 / 40, 9)
    expect(warnings.join('\n')).toContain('1 values are missing (NaN) in 10 of 10 train examples')
    expect(warnings.join('\n')).toContain('1 values are infinite and taken as missing')
  })

  it('states how lengths and picture sizes vary', async () => {
    const spec = datasetSpec({ sequenceSize: -1, matrices: [matrixSpec({ cols: 1 })] })
    const text = await profileOf(
      spec,
      [1, 5, 9].map((n) => ({ labels: [0], matrices: [steps(noise(n))] })),
    )
    expect(text.matrices[0]).toMatchObject({ steps: { min: 1, median: 5, max: 9 }, fixed: false })
    const image = datasetSpec({ matrices: [matrixSpec({ rows: -1, cols: -1, format: 'COMPRESSED' })] })
    const pictures = [
      [2, 3],
      [9, 4],
    ].map(([w, h]): ExampleToWrite => ({ labels: [0], matrices: [[grayPng(w, h, () => 1)]] }))
    expect((await profileOf(image, pictures)).matrices[0]).toMatchObject({
      rows: { min: 3, max: 4 },
      cols: { min: 2, max: 9 },
      fixed: false,
    })
  })

  it('measures the vocabulary and sparsity', async () => {
    const spec = datasetSpec({
      sequenceSize: -1,
      matrices: [matrixSpec({ cols: 1 })],
      vocabulary: ['没', '有', '😀', 'four'],
    })
    const { vocabulary } = await profileOf(spec, [{ labels: [0], matrices: [steps([0, 1, 2, 3])] }])
    expect(vocabulary).toEqual({ size: 4, meanTokenLength: 7 / 4 })
    const sparse = datasetSpec({ matrices: [matrixSpec({ cols: 100, format: 'SPARSE' })] })
    const { matrices } = await profileOf(sparse, [
      { labels: [0], matrices: [{ rows: [0, 0], cols: [3, 4], values: [1, -2] }] },
    ])
    expect(matrices[0]).toMatchObject({ density: 0.02, integral: true, values: { min: -2, max: 1 } })
  })
})
