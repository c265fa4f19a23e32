// What a milestone promises: its model.onnx, run by onnxruntime and nothing of ours, on the test matrices as the reader yields them,
// gives predictions.arrow. One bundled dataset of every kind, every milestone, examples one at a time.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import ort from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import type { MatrixBatch } from '../../src/dataset/batch.ts'
import { openDataset } from '../../src/dataset/dataset.ts'
import { ROOT } from '../support/build-cli.ts'
import { runAutoml } from '../support/run-automl.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const folder = temporaryFolder()
const EXAMPLES = 25

const cases = [
  ['images of one size', 'digits'],
  ['pictures of any size', 'patches'],
  ['video', 'shapes'],
  ['audio of unequal length', 'tones'],
  ['text', 'spam'],
  ['series', 'waves'],
  ['a dense table', 'wine'],
  ['a sparse table', 'spambag'],
] as const

describe.each(cases)('%s (%s)', (_kind, name) => {
  it('is predicted by every model.onnx as predictions.arrow says', { timeout: 60_000 }, async () => {
    const out = join(folder, name)
    const { exitCode, stderr } = await runAutoml([
      'fit',
      `fixtures/${name}`,
      '--budget',
      '6s',
      '--out',
      out,
      '--ui',
      'none',
    ])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)

    const dataset = openDataset(join(ROOT, 'fixtures', name))
    const test = dataset.test!
    const rows = Int32Array.from({ length: Math.min(EXAMPLES, test.count) }, (_, i) => i)
    const matrices = await Promise.all(dataset.spec.matrices.map((_, matrix) => test.read(rows, matrix)))
    const milestones = readdirSync(join(out, 'milestones')).filter((file) => /^\d+$/.test(file))
    expect(milestones.length).toBeGreaterThan(0)
    for (const milestone of milestones) {
      const { model, table } = read(join(out, 'milestones', milestone))
      const session = await ort.InferenceSession.create(model)
      for (const row of rows) {
        const { scores } = await session.run(feedsOf(session.inputNames, matrices, row))
        const published = dataset.spec.labelNames.map((_, k) => table.getChildAt(k + 1)!.get(row) as number)
        expect(scores.dims).toEqual([1, published.length])
        for (const [k, score] of (scores.data as Float32Array).entries()) {
          expect(Math.abs(score - published[k]), `${milestone}, row ${row}, class ${k}`).toBeLessThan(1e-4)
        }
      }
      await session.release()
    }
    dataset.close()
  })
})

function read(milestone: string) {
  return {
    model: join(milestone, 'model.onnx'),
    table: tableFromIPC(readFileSync(join(milestone, 'predictions.arrow'))),
  }
}

/** One example as a batch of 1. */
function feedsOf(names: readonly string[], matrices: readonly MatrixBatch[], row: number): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {}
  for (const [i, batch] of matrices.entries()) {
    const { data, shape } = exampleOf(batch, row)
    if (names.includes(`matrix_${i}`)) feeds[`matrix_${i}`] = new ort.Tensor('float32', data, [1, ...shape])
    if (names.includes(`length_${i}`)) feeds[`length_${i}`] = new ort.Tensor('int64', [BigInt(shape[0])], [1])
  }
  return feeds
}

function exampleOf(batch: MatrixBatch, row: number): { data: Float32Array; shape: number[] } {
  if (batch.layout === 'sparse') {
    const data = new Float32Array(batch.width)
    for (let k = batch.indptr[row]; k < batch.indptr[row + 1]; k++) data[batch.indices[k]] = batch.values[k]
    return { data, shape: [1, 1, batch.width, 1] }
  }
  const values = batch.data.subarray(batch.offsets[row], batch.offsets[row + 1])
  const scale = values instanceof Uint8Array ? 255 : 1
  return {
    data: Float32Array.from(values, (value) => value / scale),
    shape: [...batch.shapes.subarray(row * 4, row * 4 + 4)],
  }
}
