// Scores of a published model for every test example of a dataset: the raw matrices as the reader yields them, through onnxruntime.
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { openDataset } from '../../dataset/dataset.ts'
import { readMetadata } from '../../dataset/metadata.ts'
import { type MatrixProfile, profileDataset, type TaskProfile } from '../../dataset/profile.ts'
import type { Split } from '../../dataset/split.ts'
import { engineError } from '../../engine/onnx/errors.ts'
import { loadOrt, toOrt } from '../../engine/onnx/runtime.ts'
import { feedBatches, type ReadRaw } from '../../search/model-inputs.ts'
import { DataError } from '../../support/errors.ts'
import { checkExamples, checkInputs, type ModelInputs } from './check-inputs.ts'
import { conformProfile } from './conform-profile.ts'
import type { FoundModel } from './find-model.ts'
import { padSteps } from './pad-steps.ts'
import { type Grid, widenSparse } from './widen-sparse.ts'

export interface ModelScores {
  /** [n] */
  ids: Float64Array
  /** [n, K] row-major */
  scores: Float32Array
  classCount: number
  /** Length K: as the model learned them, else as the data name them; `""` where neither does. */
  labelNames: string[]
}

/** Examples that go through the model at once. */
const BATCH_ROWS = 256

/** @throws DATA_*, ENGINE; DATA_MISMATCH when the model was made for other inputs */
export async function runModel({ path: modelPath, classNames }: FoundModel, data: string): Promise<ModelScores> {
  const dataset = openDataset(data, { needLabels: false })
  try {
    const { test } = dataset
    if (test === null || test.count === 0) {
      throw new DataError('DATA_EMPTY', { file: data, rule: 'has no test examples to predict' })
    }
    const own = await profileDataset(dataset)
    const session = await openModel(modelPath)
    try {
      const inputs = inputsOf(session, modelPath)
      const stated = readMetadata(dataset.files.train.metadata!, dataset.files.name)
      const profile = conformProfile(own, (matrix) => inputs.shapes.get(`matrix_${matrix}`) ?? undefined, stated)
      checkInputs(inputs, profile)
      const classCount = outputClasses(session, modelPath)
      const ort = await loadOrt()
      const rows = Int32Array.from({ length: test.count }, (_, row) => row)
      const scores = new Float32Array(rows.length * classCount)
      const wanted = new Set(session.inputNames)
      const batches = feedBatches(readerOf(test, inputs, own, profile), profile, 'test', rows, {
        wanted,
        maxRows: BATCH_ROWS,
      })
      for await (const { positions, feeds } of batches) {
        const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(ort, tensor)]))
        const output = (await run(session, ortFeeds, modelPath)).scores.data as Float32Array
        positions.forEach((position, i) => {
          scores.set(output.subarray(i * classCount, (i + 1) * classCount), position * classCount)
        })
      }
      const candidates = [classNames, dataset.spec.labelNames]
      const labelNames =
        candidates.find((names) => names?.length === classCount) ?? new Array<string>(classCount).fill('')
      return { ids: test.ids, scores, classCount, labelNames }
    } finally {
      await session.release()
    }
  } finally {
    dataset.close()
  }
}

async function openModel(path: string): Promise<InferenceSession> {
  try {
    return await (await loadOrt()).InferenceSession.create(path, { logSeverityLevel: 3 })
  } catch (cause) {
    throw engineError(`${path}: onnxruntime cannot load the model`, cause)
  }
}

async function run(
  session: InferenceSession,
  feeds: Record<string, OrtTensor>,
  path: string,
): Promise<InferenceSession.ReturnType> {
  try {
    return await session.run(feeds)
  } catch (cause) {
    throw engineError(`${path}: onnxruntime cannot run the model`, cause)
  }
}

function inputsOf(session: InferenceSession, path: string): ModelInputs {
  return {
    path,
    shapes: new Map(session.inputMetadata.map((input) => [input.name, input.isTensor ? input.shape : null])),
  }
}

/** Reads test rows at the sizes of the model, as far as `fed` says that the data leave theirs open. @throws DATA_MISMATCH */
function readerOf(test: Split, inputs: ModelInputs, own: TaskProfile, fed: TaskProfile): ReadRaw {
  const grid = ({ rows, cols }: MatrixProfile): Grid => ({ rows: rows.max, cols: cols.max })
  return async (_split, rows, matrix) => {
    const [from, to] = [own.matrices[matrix], fed.matrices[matrix]]
    const stored = await test.read(rows, matrix)
    if (stored.layout === 'sparse') return widenSparse(stored, grid(from), grid(to), from.channels)
    const steps = inputs.shapes.get(`matrix_${matrix}`)?.[1]
    const batch = typeof steps === 'number' ? padSteps(stored, steps) : stored
    checkExamples(inputs, { batch, matrix, fed: to, ids: Array.from(rows, (row) => test.ids[row]) })
    return batch
  }
}

function outputClasses(session: InferenceSession, modelPath: string): number {
  const output = session.outputMetadata.find(({ name }) => name === 'scores')
  const classes = output?.isTensor ? output.shape[1] : undefined
  if (typeof classes === 'number') return classes
  throw new DataError('DATA_MISMATCH', { file: modelPath, field: 'output scores', rule: 'must be a tensor [n, K]' })
}
