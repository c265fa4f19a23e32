// Scores of a published model for every test example of a dataset: the raw matrices as the reader yields them, through onnxruntime.
import type { InferenceSession } from 'onnxruntime-node'
import { openDataset } from '../../dataset/dataset.ts'
import { profileDataset, type TaskProfile } from '../../dataset/profile.ts'
import { engineError } from '../../engine/onnx/errors.ts'
import { loadOrt, toOrt } from '../../engine/onnx/runtime.ts'
import { stepsVary } from '../../search/model-graph.ts'
import { feedBatches } from '../../search/model-inputs.ts'
import { DataError } from '../../support/errors.ts'
import type { FoundModel } from './find-model.ts'

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
    const profile = await profileDataset(dataset)
    const session = await openModel(modelPath)
    try {
      checkInputs(session, profile, modelPath)
      const classCount = outputClasses(session, modelPath)
      const ort = await loadOrt()
      const rows = Int32Array.from({ length: test.count }, (_, row) => row)
      const scores = new Float32Array(rows.length * classCount)
      const wanted = new Set(session.inputNames)
      const read = (_split: string, wantedRows: Int32Array, matrix: number) => test.read(wantedRows, matrix)
      for await (const { positions, feeds } of feedBatches(read, profile, 'test', rows, {
        wanted,
        maxRows: BATCH_ROWS,
      })) {
        const ortFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(ort, tensor)]))
        const output = (await session.run(ortFeeds)).scores.data as Float32Array
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

/** Compares names and fixed sizes of the model's inputs with what the dataset will feed. */
function checkInputs(session: InferenceSession, profile: TaskProfile, modelPath: string): void {
  const mismatch = (field: string, value: string, rule: string) =>
    new DataError('DATA_MISMATCH', {
      file: modelPath,
      field,
      value,
      rule,
      hint: 'the model was learned from other data',
    })
  const offered = new Map<string, (number | string)[]>()
  profile.matrices.forEach((matrix, i) => {
    const size = (extent: { min: number; max: number }, name: string) => (extent.min === extent.max ? extent.max : name)
    offered.set(`matrix_${i}`, [
      'n',
      stepsVary(profile) ? 't' : profile.spec.sequenceSize,
      size(matrix.rows, 'rows'),
      size(matrix.cols, 'cols'),
      matrix.channels,
    ])
    if (stepsVary(profile)) offered.set(`length_${i}`, ['n'])
  })
  for (const input of session.inputMetadata) {
    const sizes = offered.get(input.name)
    if (sizes === undefined) {
      throw mismatch(
        `input ${input.name}`,
        'nothing',
        `must be one of ${[...offered.keys()].join(', ')}: what the data offer`,
      )
    }
    if (!input.isTensor) continue
    const fits =
      input.shape.length === sizes.length &&
      input.shape.every((size, d) => typeof size !== 'number' || typeof sizes[d] !== 'number' || size === sizes[d])
    if (!fits)
      throw mismatch(
        `input ${input.name}`,
        `[${sizes.join(', ')}] from the data`,
        `must be [${input.shape.join(', ')}]`,
      )
  }
}

function outputClasses(session: InferenceSession, modelPath: string): number {
  const output = session.outputMetadata.find(({ name }) => name === 'scores')
  const classes = output?.isTensor ? output.shape[1] : undefined
  if (typeof classes === 'number') return classes
  throw new DataError('DATA_MISMATCH', { file: modelPath, field: 'output scores', rule: 'must be a tensor [n, K]' })
}
