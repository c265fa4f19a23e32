// The task profile, and what kind of data a dataset is taken for. Values are synthetic and random, but seeded.
import { describe, expect, it } from 'vitest'
import { openDataset } from '../../src/dataset/dataset.ts'
import type { ExampleToWrite } from '../../src/dataset/encode-example.ts'
import { profileDataset, type TaskProfile } from '../../src/dataset/profile.ts'
import type { DatasetSpec, MatrixSpec } from '../../src/dataset/spec.ts'
import { loadFamilies } from '../../src/families/registry.ts'
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
/** Of their own, so that a case more does not change the values of the others. */
const draws = Rng.fromSeed(3)
/** A bright spot on black ground, somewhere in the middle of `rows` x `cols` pixels: the border is black in all of them. */
const spot = (rows: number, cols: number) => {
  const [y, x] = [rows, cols].map((size) => size * (0.4 + 0.2 * draws.uniform()))
  const reach = Math.min(rows, cols) * (0.1 + 0.1 * draws.uniform())
  return range(rows * cols).map((i) => {
    const square = ((Math.floor(i / cols) - y) ** 2 + ((i % cols) - x) ** 2) / reach ** 2
    return square < 4 ? Math.exp(-square / 2) : 0
  })
}
/** Three straight strokes, a pixel or two wide, black on white. */
const strokes = (side: number) => {
  const lines = range(3).map(() => [draws.uniform() * side, draws.uniform() * side, draws.uniform() * Math.PI])
  return range(side * side).map((i) => {
    const hit = ([y, x, angle]: number[]) =>
      Math.abs((Math.floor(i / side) - y) * Math.cos(angle) - ((i % side) - x) * Math.sin(angle)) < 0.8
    return lines.some(hit) ? 0 : 1
  })
}
const unrelated = (n: number) => range(n).map(() => draws.normal())
/** Positions of 28 x 28 pixels in an order of no meaning, the same for all examples. */
const shuffled = Rng.fromSeed(4).permutation(28 * 28)
/** Columns and rows that all follow one number of the example. */
const related = (n: number) => {
  const common = draws.normal()
  return range(n).map(() => common + 0.5 * draws.normal())
}
const wander = (n: number) => {
  let at = 0
  return range(n).map(() => (at += draws.normal()))
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
  [
    'a row with locality on both axes and unrelated columns, as converters write tables',
    'table',
    'both axes have the same flags, which says nothing, so the shape decides',
    { matrix: { cols: 30, ...LOCAL }, example: () => [unrelated(30)] },
  ],
  [
    'a row with locality on both axes and smooth columns',
    'series',
    'both axes have the same flags, which says little, but neighbouring columns move together',
    { matrix: { cols: 60, ...LOCAL }, example: () => [wander(60)] },
  ],
  [
    'a row that is a sequence on both axes, with unrelated columns',
    'table',
    'the shape decides',
    { matrix: { cols: 30, isSequenceRow: true, isSequenceCol: true }, example: () => [unrelated(30)] },
  ],
  [
    'a column with locality on both axes and smooth rows',
    'series',
    'neighbouring rows move together',
    { matrix: { rows: 60, cols: 1, ...LOCAL }, example: () => [wander(60)] },
  ],
  [
    'a row with all flags set and smooth columns, most of them padding',
    'series',
    'move together',
    { matrix: { cols: 60, ...ORDERED }, example: () => [[...wander(24), ...range(36).map(() => 0.1)]] },
  ],
  [
    'a row with all flags set and three columns that are not constant',
    'table',
    'the shape decides',
    { matrix: { cols: 30, ...ORDERED }, example: () => [[...wander(3), ...range(27).map(() => 0.1)]] },
  ],
  [
    'a row without flags and smooth columns',
    'table',
    '60 features; neither locality nor sequence',
    { matrix: { cols: 60 }, example: () => [wander(60)] },
  ],
  [
    'pictures without any flag',
    'image',
    '28x28 values; no flags are set, but neighbouring values along both axes move together as in a picture',
    { matrix: { rows: 28, cols: 28 }, example: () => [spot(28, 28)] },
  ],
  [
    'pictures without any flag, of different brightness',
    'image',
    'as in a picture',
    {
      matrix: { rows: 12, cols: 12 },
      example: () => {
        const level = 3 * draws.normal()
        return [spot(12, 12).map((value) => level + value + 0.1 * draws.normal())]
      },
    },
  ],
  [
    'color pictures without any flag',
    'image',
    'as in a picture',
    {
      matrix: { rows: 9, cols: 14, channels: 3 },
      example: () => {
        const planes = range(3).map(() => spot(9, 14))
        return [range(9 * 14 * 3).map((i) => planes[i % 3][Math.floor(i / 3)])]
      },
    },
  ],
  [
    'binary pictures without any flag',
    'image',
    'as in a picture',
    { matrix: { rows: 28, cols: 28 }, example: () => [spot(28, 28).map((value) => (value > 0.4 ? 1 : 0))] },
  ],
  [
    'thin strokes without any flag',
    'image',
    'as in a picture',
    { matrix: { rows: 28, cols: 28 }, example: () => [strokes(28)] },
  ],
  [
    'pictures without any flag, of which pixels are missing',
    'image',
    'as in a picture',
    { matrix: { rows: 28, cols: 27 }, example: () => [holed(spot(28, 27))] },
  ],
  [
    'pictures without any flag, their pixels shuffled',
    'table',
    'neither locality nor sequence',
    {
      matrix: { rows: 28, cols: 28 },
      example: () => {
        const pixels = spot(28, 28)
        return [Array.from(shuffled, (from) => pixels[from])]
      },
    },
  ],
  [
    'noise of the size of a picture',
    'table',
    'neither locality nor sequence',
    { matrix: { rows: 28, cols: 28 }, example: () => [unrelated(784)] },
  ],
  [
    'unrelated columns of different size, laid out as a grid',
    'table',
    'neither locality nor sequence',
    { matrix: { rows: 16, cols: 16 }, example: () => [unrelated(256).map((value, i) => 10 * i + (1 + i) * value)] },
  ],
  [
    'columns that all follow one number, laid out as a grid',
    'table',
    'neither locality nor sequence',
    { matrix: { rows: 16, cols: 16 }, example: () => [related(256)] },
  ],
  [
    'rows of smooth values that have nothing to do with each other',
    'table',
    'neither locality nor sequence',
    { matrix: { rows: 10, cols: 30 }, example: () => [range(10).flatMap(() => wander(30))] },
  ],
  [
    'few rows and columns that move together',
    'table',
    'neither locality nor sequence',
    { matrix: { rows: 6, cols: 5 }, example: () => [spot(6, 5)] },
  ],
  [
    'a row of open length',
    'series',
    'the number of columns varies by example: steps of a series',
    { matrix: { cols: -1 }, example: (i) => [unrelated(varying(i, 20))] },
  ],
  [
    'a column of open length with all flags set',
    'series',
    'the number of rows varies by example: steps of a series',
    { matrix: { rows: -1, cols: 1, ...ORDERED }, example: (i) => [unrelated(varying(i, 20))] },
  ],
  [
    'an open number of rows without flags',
    'series',
    'the number of rows varies by example: steps of a series; columns are channels',
    { matrix: { rows: -1, cols: 3 }, example: (i) => [unrelated(3 * varying(i, 20))] },
  ],
  [
    'an open number of rows that are a sequence',
    'series',
    'columns are channels',
    { matrix: { rows: -1, cols: 13, isSequenceRow: true }, example: (i) => [unrelated(13 * varying(i, 5))] },
  ],
  [
    'an open number of columns beside rows that are more, without flags',
    'image',
    'the number of columns varies by example, as in pictures of several sizes',
    { matrix: { rows: 40, cols: -1 }, example: (i) => [unrelated(40 * varying(i, 10))] },
  ],
  [
    'an open number of rows with locality along both axes',
    'image',
    'the number of rows varies by example, as in pictures of several sizes',
    { matrix: { rows: -1, cols: 3, ...LOCAL }, example: (i) => [unrelated(3 * varying(i, 20))] },
  ],
  [
    'an open number of rows and columns, which the records do not state',
    'series',
    'not told apart into rows',
    { matrix: { rows: -1, cols: -1 }, example: (i) => [unrelated(varying(i, 20))] },
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
  [
    'pictures without any flag at each step',
    'video',
    '12x16 values at each step of a sequence; no flags are set, but neighbouring values along both axes move together',
    { matrix: { rows: 12, cols: 16 }, spec: { sequenceSize: 5 }, example: () => range(5).map(() => spot(12, 16)) },
  ],
  [
    'a varying number of pictures without any flag',
    'video',
    'as in a picture',
    {
      matrix: { rows: 12, cols: 16 },
      spec: { sequenceSize: -1 },
      example: (i) => range(1 + (i % 4)).map(() => spot(12, 16)),
    },
  ],
  [
    'unrelated values of the size of a picture at each step',
    'series',
    'channels of a series',
    { matrix: { rows: 12, cols: 16 }, spec: { sequenceSize: 5 }, example: () => range(5).map(() => unrelated(192)) },
  ],
  [
    'a matrix of open size at each step',
    'video',
    'in sizes that vary',
    {
      matrix: { rows: 3, cols: -1 },
      spec: { sequenceSize: 4 },
      example: (i) => range(4).map(() => unrelated(3 * varying(i, 5))),
    },
  ],
]

/** A family that has no use for sizes that vary otherwise than by those of the kind. */
const FIRST: Partial<Record<TaskProfile['kind'], string>> = {
  image: 'image-net',
  series: 'minirocket',
  video: 'video-net',
}
const OPEN = CASES.filter(([, , , { matrix }]) => matrix.rows === -1 || matrix.cols === -1)

describe('some family takes', () => {
  it.each(OPEN)('%s', async (_title, kind, _reason, { matrix, spec, example }) => {
    const train = range(20).map((i): ExampleToWrite => ({ labels: [i % 2], matrices: [example(i)] }))
    const profile = await profileOf(datasetSpec({ matrices: [matrixSpec(matrix)], ...spec }), train)
    expect((await loadFamilies(profile)).map(({ name }) => name)).toContain(FIRST[kind])
  })
})

describe('the kind of', () => {
  it.each(CASES)('%s is %s', async (_title, kind, reason, { matrix, spec, example }) => {
    const train = range(20).map((i): ExampleToWrite => ({ labels: [i % 2], matrices: [example(i)] }))
    const profile = await profileOf(datasetSpec({ matrices: [matrixSpec(matrix)], ...spec }), train)
    expect({ kind: profile.kind, reason: profile.reason }).toEqual({ kind, reason: expect.stringContaining(reason) })
  })

  it.each([4, 8, 300])('%i pictures without any flag is image, and of as many shuffled ones table', async (count) => {
    const spec = datasetSpec({ matrices: [matrixSpec({ rows: 28, cols: 28 }), matrixSpec({ rows: 28, cols: 28 })] })
    const train = range(count).map((i): ExampleToWrite => {
      const pixels = spot(28, 28)
      return { labels: [i % 2], matrices: [[pixels], [Array.from(shuffled, (from) => pixels[from])]] }
    })
    expect((await profileOf(spec, train)).kinds).toEqual(['image', 'table'])
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

  it('takes few rows of several labels for slips', async () => {
    const spec = datasetSpec({ outputDim: 3, labelNames: ['a', 'b', 'c'] })
    const multiLabel = async (one: number, several: number, none: number) => {
      const labelled = range(one + several).map((i) => (i < one ? [i % 3] : [0, 2]))
      const labels = [...labelled, ...range(none).map(() => [])]
      const train = labels.map((each): ExampleToWrite => ({ labels: each, matrices: [[[0, 0, 0, 0]]] }))
      return (await profileOf(spec, train)).multiLabel
    }
    expect(await multiLabel(999, 1, 0)).toBe(false)
    expect(await multiLabel(98, 2, 0)).toBe(false)
    expect(await multiLabel(97, 3, 0)).toBe(true)
    // Of the rows that have labels.
    expect(await multiLabel(48, 2, 100)).toBe(true)
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

  it('states the values of each channel of pictures of floats, and survives JSON', async () => {
    const spec = datasetSpec({ matrices: [matrixSpec({ rows: 20, cols: 30, channels: 2 }), matrixSpec({ cols: 4 })] })
    const second = (i: number, at: number) => (i % 10 === 5 ? Number.NaN : i === 3 && at === 1 ? 1e9 : -at)
    const picture = (i: number) => range(1200).map((at) => (at % 2 === 0 ? i : second(i, at)))
    const train = range(101).map((i): ExampleToWrite => ({ labels: [0], matrices: [[picture(i)], [[1, 2, 3, 4]]] }))
    const { matrices } = JSON.parse(JSON.stringify(await profileOf(spec, train))) as TaskProfile
    const [even, odd] = matrices[0].values.channels!
    expect(even).toMatchObject({ min: 0, max: 100, q01: 1, q99: 99 })
    expect(even.mean).toBeCloseTo(50, 0)
    expect(even.std).toBeCloseTo(Math.sqrt((101 * 101 - 1) / 12), 0)
    expect(odd).toMatchObject({ min: -1199, max: 1e9 })
    expect(Math.abs(odd.q01 + 1187)).toBeLessThan(4)
    expect(Math.abs(odd.q99 + 13)).toBeLessThan(4)
    expect(matrices[1].values.channels).toBeUndefined()
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

  it.each([
    ['varies', -1, { min: 6, median: 15, max: 15 }, 4 * 15 + 2 * 6],
    ['is fixed', 15, { min: 15, median: 15, max: 15 }, 6 * 15],
  ])(
    'counts all pictures of videos whose length %s, but decodes few',
    async (_title, sequenceSize, extent, pictures) => {
      // The middles of five equal parts. Others have a header and nothing that could be decoded.
      const middles: Record<number, number[]> =
        sequenceSize > 0 ? { 15: [1, 4, 7, 10, 13], 6: [1, 4] } : { 15: [1, 4, 7, 10, 13], 6: [0, 1, 3, 4, 5] }
      const video = (length: number): ExampleToWrite => ({
        labels: [0],
        matrices: [range(length).map((t) => (middles[length].includes(t) ? png : png.subarray(0, 40)))],
      })
      const spec = datasetSpec({ sequenceSize, matrices: [matrixSpec({ rows: 8, cols: 8, format: 'COMPRESSED' })] })
      const profile = await profileOf(spec, [15, 6, 15, 15, 6, 15].map(video))
      expect(profile.matrices[0]).toMatchObject({
        steps: extent,
        rows: { min: 8, max: 8 },
        cols: { min: 8, max: 8 },
        fixed: sequenceSize > 0,
        values: { max: 49 },
      })
      expect(profile.trainBytes).toBe(pictures * 64)
      expect(profile.warnings.join()).not.toContain('unreadable')
    },
  )

  it('looks at few of many large pictures, but knows the sizes of all', async () => {
    // 49 MB each, decoded, had they more than a header: a second unreadable one would end the reading.
    const large = Buffer.from(png.subarray(0, 40))
    large.writeUInt32BE(7000, 16)
    large.writeUInt32BE(7000, 20)
    const spec = datasetSpec({ matrices: [matrixSpec({ rows: -1, cols: -1, format: 'COMPRESSED' })] })
    const { matrices, trainBytes, warnings } = await profileOf(
      spec,
      range(24).map((): ExampleToWrite => ({ labels: [0], matrices: [[large]] })),
    )
    const size = { min: 7000, median: 7000, max: 7000 }
    expect(matrices[0]).toMatchObject({ rows: size, cols: size })
    expect(trainBytes).toBe(24 * 49e6)
    expect(warnings.join()).toContain('1 train example skipped for unreadable pictures')
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
