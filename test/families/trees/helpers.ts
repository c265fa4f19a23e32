// A trial on arrays in memory, with the worker's own feature store and predictor behind it.
import type { DenseBatch, MatrixBatch, SparseBatch, SplitName } from '../../../src/dataset/batch.ts'
import { planValidation } from '../../../src/dataset/plan.ts'
import type { MatrixProfile, TaskProfile } from '../../../src/dataset/profile.ts'
import type { DatasetSpec, MatrixSpec } from '../../../src/dataset/spec.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { HyperParams, Model, TrialContext, TrialEvent, TrialState } from '../../../src/families/family.ts'
import { createFeatureStore } from '../../../src/search/worker/feature-store.ts'
import { createPredictor } from '../../../src/search/worker/predictor.ts'
import { Rng } from '../../../src/support/rng.ts'

export interface Task {
  /** [n, features] per matrix */
  matrices: { values: Float32Array; features: number; sparse?: boolean }[]
  /** [n, K] */
  labels: Float32Array
  classes: number
}

export interface TestTrial {
  context: TrialContext
  predict(model: Model): Promise<Float32Array>
  snapshot(): Promise<TrialState>
}

export function rowsOf(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i)
}

export function testTrial(
  task: Task,
  params: HyperParams,
  engine: Engine,
  resumed: TrialState | null = null,
  plan?: TrialContext['plan'],
): TestTrial {
  const n = task.labels.length / task.classes
  const profile = profileOf(task, n)
  const read = async (_split: SplitName, rows: Int32Array, matrix = 0): Promise<MatrixBatch> =>
    batchOf(task, matrix, rows)
  const store = createFeatureStore({
    engine,
    profile,
    read,
    counts: { train: n, test: n },
    limitBytes: 1e8,
    spill: () => null,
  })
  const predictor = createPredictor(engine, profile, store, read)
  let save: () => TrialState | Promise<TrialState> = () => {
    throw new Error('nothing to save')
  }
  const context: TrialContext = {
    profile,
    params,
    plan: plan ?? planValidation(task.labels, n, task.classes, Rng.fromSeed(1)),
    sample: rowsOf(n),
    labels: task.labels,
    engine,
    rng: Rng.fromSeed(7).split('trial'),
    data: { raw: read, features: store.features, predict: predictor.predict },
    pace: { kind: 'steps', remainingSteps: () => 1000 },
    resumed,
    saveState: (snapshot) => {
      save = snapshot
    },
  }
  return {
    context,
    predict: (model) => predictor.predict(model, 'train', rowsOf(n)),
    // Through JSON, as on disk.
    snapshot: async () => {
      const { facts, arrays } = await save()
      return { facts: JSON.parse(JSON.stringify(facts)), arrays }
    },
  }
}

export type Candidate = Extract<TrialEvent, { type: 'candidate' }>

export async function candidatesOf(events: AsyncGenerator<TrialEvent, void, void>): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for await (const event of events) if (event.type === 'candidate') candidates.push(event)
  return candidates
}

/** One class per row, as one-hot labels. */
export function oneHot(classOf: ArrayLike<number>, classes: number): Float32Array {
  const labels = new Float32Array(classOf.length * classes)
  for (let i = 0; i < classOf.length; i++) labels[i * classes + classOf[i]] = 1
  return labels
}

export function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`)
  let worst = 0
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]))
  return worst
}

function batchOf(task: Task, matrix: number, rows: Int32Array): DenseBatch | SparseBatch {
  const { values, features, sparse } = task.matrices[matrix]
  if (!sparse) {
    const data = new Float32Array(rows.length * features)
    rows.forEach((row, i) => {
      data.set(values.subarray(row * features, (row + 1) * features), i * features)
    })
    const shapes = new Int32Array(rows.length * 4)
    for (let i = 0; i < rows.length; i++) shapes.set([1, 1, features, 1], i * 4)
    return {
      layout: 'dense',
      data,
      offsets: Float64Array.from({ length: rows.length + 1 }, (_, i) => i * features),
      shapes,
    }
  }
  const indices: number[] = []
  const stored: number[] = []
  const indptr = new Int32Array(rows.length + 1)
  rows.forEach((row, i) => {
    for (let f = 0; f < features; f++) {
      if (values[row * features + f] === 0) continue
      indices.push(f)
      stored.push(values[row * features + f])
    }
    indptr[i + 1] = indices.length
  })
  return {
    layout: 'sparse',
    indptr,
    indices: Int32Array.from(indices),
    values: Float32Array.from(stored),
    width: features,
  }
}

function profileOf({ matrices, labels, classes }: Task, n: number): TaskProfile {
  const specs = matrices.map(
    ({ features, sparse }): MatrixSpec => ({
      rows: 1,
      cols: features,
      channels: 1,
      format: sparse ? 'SPARSE' : 'DENSE',
      isSequenceRow: false,
      isSequenceCol: false,
      hasLocalityRow: false,
      hasLocalityCol: false,
    }),
  )
  const spec: DatasetSpec = {
    name: 'rows',
    matrices: specs,
    isSequence: false,
    outputDim: classes,
    sequenceSize: 1,
    sampleCount: n,
    labelNames: new Array(classes).fill(''),
    featureNames: new Map(),
    vocabulary: [],
  }
  const only = (value: number) => ({ min: value, median: value, max: value })
  let most = 0
  for (let i = 0; i < n; i++) {
    most = Math.max(most, labels.subarray(i * classes, (i + 1) * classes).filter((y) => y > 0).length)
  }
  return {
    kind: 'table',
    reason: 'a test',
    spec,
    trainCount: n,
    testCount: n,
    classCount: classes,
    multiLabel: most > 1,
    classCounts: Array.from(
      { length: classes },
      (_, k) => labels.filter((y, at) => at % classes === k && y > 0).length,
    ),
    matrices: specs.map(
      (matrix): MatrixProfile => ({
        spec: matrix,
        steps: only(1),
        rows: only(1),
        cols: only(matrix.cols),
        channels: 1,
        fixed: true,
        values: { min: 0, max: 1, mean: 0, std: 1 },
        missing: 0,
        infinite: 0,
        density: matrix.format === 'SPARSE' ? 0.1 : 1,
        integral: false,
      }),
    ),
    kinds: specs.map(() => 'table'),
    vocabulary: null,
    trainBytes: n * 100,
    warnings: [],
  }
}
