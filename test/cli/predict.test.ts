// Predicting data whose sizes are not those that a model was made for: made to fit where the data leave them open, refused by name
// where they do not. The models are weighted sums, so that scores can be told in advance.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodePng } from '../../fixtures/scripts/encode-png.ts'
import { runModel } from '../../src/cli/predict/run-model.ts'
import type { ExampleToWrite, MatrixToWrite } from '../../src/dataset/encode-example.ts'
import { serializeOnnx } from '../../src/engine/onnx/serialize.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { flatten, matmul } from '../../src/graph/functions.ts'
import { DataError, EXIT } from '../../src/support/errors.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type Toy, writeToy } from '../support/toy-dataset.ts'

const root = temporaryFolder()
let count = 0

/** For inputs [n, t, rows, cols, channels]: the sum of all values, and the sum of values times their flattened position. */
function sums(shape: readonly number[]): string {
  const g = new GraphBuilder()
  const size = shape.reduce((product, each) => product * each, 1)
  const x = flatten(g, g.input('matrix_0', 'float32', ['n', ...shape]))
  const weights = Float32Array.from({ length: 2 * size }, (_, i) => (i % 2 === 0 ? 1 : i >> 1))
  g.output('scores', matmul(g, x, g.constant(weights, [size, 2])))
  const path = join(root, `model-${count++}.onnx`)
  writeFileSync(path, serializeOnnx(g.build()))
  return path
}

function dataset(toy: Omit<Toy, 'train' | 'test'>, train: MatrixToWrite[], test: MatrixToWrite[]): string {
  const folder = join(root, `data-${count++}`)
  mkdirSync(folder)
  const examples = (matrices: MatrixToWrite[]) =>
    matrices.map((matrix, i): ExampleToWrite => ({ labels: [i % 2], matrices: [matrix] }))
  return writeToy(folder, { ...toy, train: examples(train), test: examples(test) })
}

async function scores(path: string, data: string): Promise<number[][]> {
  const result = await runModel({ path, milestone: null, publishedMs: null, classNames: null }, data)
  return Array.from(result.ids, (_, i) => [...result.scores.subarray(2 * i, 2 * i + 2)])
}

async function refusal(path: string, data: string): Promise<string> {
  const error = await scores(path, data).then(
    () => null,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(DataError)
  expect(error).toMatchObject({ code: 'DATA_MISMATCH', exitCode: EXIT.data })
  return error.message
}

describe('pictures', () => {
  const even = (size: number, value: number): Uint8Array[] => [
    encodePng(new Uint8Array(size * size).fill(value), size, size),
  ]
  const matrix = { rows: 4, cols: 4, format: 'COMPRESSED' as const }
  const open = { rows: -1, cols: -1, format: 'COMPRESSED' as const }
  const model = () => sums([1, 4, 4, 1])

  it.each([
    ['of sizes that vary', { matrix: open }, [even(4, 9), even(7, 9)]],
    ['that stray from the size that the metadata state', { matrix }, [even(4, 9), even(7, 9)]],
    ['that stray where no training picture does', { matrix }, [even(4, 9), even(4, 9)]],
    ['that stray where the metadata leave the size open', { matrix: open }, [even(4, 9), even(4, 9)]],
  ])('%s are resampled to the size of the model', async (_, toy, train) => {
    const found = await scores(model(), dataset(toy, train, [even(4, 255), even(8, 255), even(2, 51)]))
    const expected = [16, 16, 16 / 5]
    found.forEach(([sum], i) => {
      expect(sum).toBeCloseTo(expected[i], 4)
    })
  })

  it('that all have another size are refused', async () => {
    const data = dataset({ matrix: { ...matrix, rows: 8, cols: 8 } }, [even(8, 1)], [even(8, 1)])
    expect(await refusal(model(), data)).toMatch(
      /input matrix_0: received "\[n, 1, 8, 8, 1\] from the data"; must be \[n, 1, 4, 4, 1\]/,
    )
  })
})

describe('sequences', () => {
  const toy = { matrix: { cols: 2 }, spec: { isSequence: true, sequenceSize: -1 } }
  const steps = (length: number) => Array.from({ length }, () => [1, 1])

  it('of open length are predicted when they have the steps of the model, or fewer', async () => {
    const data = dataset(toy, [steps(3), steps(5)], [steps(3), steps(1)])
    expect(await scores(sums([3, 1, 2, 1]), data)).toEqual([
      [6, 15],
      [2, 1],
    ])
    const short = dataset(toy, [steps(3), steps(5)], [steps(2), steps(0)])
    expect(await scores(sums([3, 1, 2, 1]), short)).toEqual([
      [4, 6],
      [0, 0],
    ])
  })

  it('of more are refused with the example that has them', async () => {
    const data = dataset(toy, [steps(3)], [steps(3), steps(9)])
    expect(await refusal(sums([3, 1, 2, 1]), data)).toMatch(
      /input matrix_0: received "\[n, 9, 1, 2, 1\] from example 1"; must be \[n, 3, 1, 2, 1\]/,
    )
  })
})

describe('dense examples of open size', () => {
  const matrix = { cols: -1 }

  it('are predicted when they have the size of the model, else refused', async () => {
    const [narrow, wide] = [[[1, 1]], [[1, 1, 1]]]
    expect(await scores(sums([1, 1, 2, 1]), dataset({ matrix }, [narrow, wide], [narrow]))).toEqual([[2, 1]])
    expect(await refusal(sums([1, 1, 2, 1]), dataset({ matrix }, [narrow, wide], [narrow, wide]))).toContain(
      'example 1',
    )
  })
})

describe('sparse examples', () => {
  const format = 'SPARSE' as const
  const entries = { rows: [0, 1], cols: [1, 1], values: [10, 100] }

  it('narrower than the model are fed at its width', async () => {
    // Two columns are found; the model has four: position (1, 1) moves from 3 to 5.
    const data = dataset({ matrix: { rows: 2, cols: -1, format } }, [entries], [entries])
    expect(await scores(sums([1, 2, 4, 1]), data)).toEqual([[110, 10 * 1 + 100 * 5]])
  })

  it('of open rows and steps too', async () => {
    const matrix = { rows: -1, cols: -1, channels: 2, format }
    const inChannels = { ...entries, channels: [1, 0] }
    const data = dataset({ matrix, spec: { isSequence: true, sequenceSize: -1 } }, [inChannels], [inChannels])
    // (0, 0, 1, 1) and (0, 1, 1, 0) in [3, 4, 5, 2].
    expect(await scores(sums([3, 4, 5, 2]), data)).toEqual([[110, 10 * 3 + 100 * 12]])
  })

  it('wider than the model are refused', async () => {
    const data = dataset({ matrix: { rows: 2, cols: -1, format } }, [entries], [{ ...entries, cols: [1, 6] }])
    expect(await refusal(sums([1, 2, 4, 1]), data)).toMatch(/received "\[n, 1, 2, 7, 1\] from the data"; must be/)
  })

  it('whose width the metadata state are other data', async () => {
    const data = dataset({ matrix: { rows: 2, cols: 2, format } }, [entries], [entries])
    expect(await refusal(sums([1, 2, 4, 1]), data)).toMatch(/received "\[n, 1, 2, 2, 1\] from the data"; must be/)
  })
})
