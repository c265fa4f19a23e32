// A trial context over examples in memory, for tests of families: raw matrices in, front ends and models run through onnxruntime.
import type { DenseBatch, SplitName } from '../../../src/dataset/batch.ts'
import type { Kind, MatrixProfile, TaskProfile } from '../../../src/dataset/profile.ts'
import type { MatrixSpec } from '../../../src/dataset/spec.ts'
import type { Engine, Tensor } from '../../../src/engine/engine.ts'
import type {
  Family,
  FrontEnd,
  HyperParams,
  Model,
  ModelInput,
  TrialContext,
  TrialData,
  TrialEvent,
  TrialState,
  ValidationPlan,
} from '../../../src/families/family.ts'
import { GraphBuilder, type Value } from '../../../src/graph/builder.ts'
import { Rng } from '../../../src/support/rng.ts'

/** One matrix of an example. */
export interface MemoryMatrix {
  /** [t, rows, cols, channels] */
  shape: [number, number, number, number]
  values: number[]
}

export interface MemoryExample extends MemoryMatrix {
  /** Positive classes. */
  classes: number[]
  /** Matrices after the first. */
  beside?: MemoryMatrix[]
}

interface MatrixKind {
  kind: Kind
  /** Pictures are bytes. */
  bytes: boolean
  /** The number of steps varies. */
  varies: boolean
}

/** `kind`, `bytes` and `varies` are the first matrix's. */
export interface MemoryTask extends MatrixKind {
  classCount: number
  vocabulary: string[]
  examples: MemoryExample[]
  /** Matrices after the first. */
  beside?: MatrixKind[]
}

/** What each matrix is, and every example's own. */
function matricesOf(task: MemoryTask): (MatrixKind & { parts: MemoryMatrix[] })[] {
  const others = (task.beside ?? []).map((kind, i) => ({ ...kind, parts: task.examples.map((e) => e.beside![i]) }))
  return [{ kind: task.kind, bytes: task.bytes, varies: task.varies, parts: task.examples }, ...others]
}

function varies(task: MemoryTask): boolean {
  return matricesOf(task).some((matrix) => matrix.varies)
}

function matrixProfile({ bytes, parts }: { bytes: boolean; parts: MemoryMatrix[] }, fixed: boolean): MatrixProfile {
  const extent = (axis: number) => {
    const sizes = parts.map(({ shape }) => shape[axis]).sort((a, b) => a - b)
    return { min: sizes[0], median: sizes[sizes.length >> 1], max: sizes[sizes.length - 1] }
  }
  const channels = parts[0].shape[3]
  const spec: MatrixSpec = {
    rows: extent(1).max,
    cols: extent(2).max,
    channels,
    format: bytes ? 'COMPRESSED' : 'DENSE',
    isSequenceRow: false,
    isSequenceCol: false,
    hasLocalityRow: true,
    hasLocalityCol: true,
  }
  return {
    spec,
    steps: extent(0),
    rows: extent(1),
    cols: extent(2),
    channels,
    fixed,
    values: { min: 0, max: 1, mean: 0.5, std: 0.3 },
    missing: 0,
    infinite: 0,
    density: 1,
    integral: false,
  }
}

export function profileOf(task: MemoryTask): TaskProfile {
  const open = varies(task)
  const matrices = matricesOf(task).map((matrix) => matrixProfile(matrix, !open))
  const counts = Array.from(
    { length: task.classCount },
    (_, k) => task.examples.filter((e) => e.classes.includes(k)).length,
  )
  const count = task.examples.length
  return {
    kind: task.kind,
    reason: 'a test',
    spec: {
      name: 'memory',
      matrices: matrices.map(({ spec }) => spec),
      isSequence: open,
      outputDim: task.classCount,
      sequenceSize: open ? -1 : matrices[0].steps.max,
      sampleCount: count,
      labelNames: counts.map((_, k) => `class ${k}`),
      featureNames: new Map(),
      vocabulary: task.vocabulary,
    },
    trainCount: count,
    testCount: 10,
    classCount: task.classCount,
    multiLabel: task.examples.some(({ classes }) => classes.length > 1),
    classCounts: counts,
    matrices,
    kinds: matricesOf(task).map(({ kind }) => kind),
    vocabulary: task.vocabulary.length > 0 ? { size: task.vocabulary.length, meanTokenLength: 5 } : null,
    trainBytes: 0,
    warnings: [],
  }
}

function inputsOf(g: GraphBuilder, { matrices, spec }: TaskProfile): ModelInput[] {
  return matrices.map(({ steps, rows, cols, channels }, i) => {
    const open = spec.sequenceSize === -1
    const shape = ['n', open ? `t_${i}` : steps.max, rows.max, cols.max, channels]
    return {
      matrix: g.input(`matrix_${i}`, 'float32', shape),
      length: open ? g.input(`length_${i}`, 'int64', ['n']) : null,
    }
  })
}

function feedsOf(task: MemoryTask, rows: Int32Array): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [m, { bytes, parts }] of matricesOf(task).entries()) {
    const chosen = Array.from(rows, (row) => parts[row])
    const [, r, c, channels] = chosen[0].shape
    const steps = Math.max(...chosen.map(({ shape }) => shape[0]))
    const data = new Float32Array(rows.length * steps * r * c * channels)
    chosen.forEach(({ values }, i) => {
      data.set(bytes ? values.map((v) => v / 255) : values, i * steps * r * c * channels)
    })
    feeds[`matrix_${m}`] = { type: 'float32', shape: [rows.length, steps, r, c, channels], data }
    if (!varies(task)) continue
    const lengths = BigInt64Array.from(chosen, ({ shape }) => BigInt(shape[0]))
    feeds[`length_${m}`] = { type: 'int64', shape: [rows.length], data: lengths }
  }
  return feeds
}

function frontValue(g: GraphBuilder, front: FrontEnd, inputs: readonly ModelInput[]): Value {
  return front.build(g, front.base ? frontValue(g, front.base, inputs) : null, inputs)
}

/** Runs a whole model from the raw matrices, as the exported file does. */
export async function runExported(
  engine: Engine,
  task: MemoryTask,
  model: Model,
  rows: Int32Array,
): Promise<Float32Array> {
  return run(engine, task, rows, (g, inputs) =>
    model.build(g, model.front ? frontValue(g, model.front, inputs) : null, inputs),
  )
}

async function run(
  engine: Engine,
  task: MemoryTask,
  rows: Int32Array,
  build: (g: GraphBuilder, inputs: ModelInput[]) => Value,
): Promise<Float32Array> {
  const g = new GraphBuilder()
  g.output('y', build(g, inputsOf(g, profileOf(task))))
  const executable = await engine.compile(g.build())
  const { y } = await executable.run(feedsOf(task, rows))
  await executable.release()
  return y.data as Float32Array
}

function memoryData(engine: Engine, task: MemoryTask): TrialData {
  return {
    async raw(_split: SplitName, rows: Int32Array, matrix = 0) {
      const { bytes, parts } = matricesOf(task)[matrix]
      const examples = Array.from(rows, (row) => parts[row])
      const offsets = new Float64Array(rows.length + 1)
      examples.forEach(({ values }, i) => {
        offsets[i + 1] = offsets[i] + values.length
      })
      const all = examples.flatMap(({ values }) => values)
      const batch: DenseBatch = {
        layout: 'dense',
        data: bytes ? Uint8Array.from(all) : Float32Array.from(all),
        offsets,
        shapes: Int32Array.from(examples.flatMap(({ shape }) => shape)),
      }
      return batch
    },
    async features(front, _split, rows) {
      const y = await run(engine, task, rows, (g, inputs) => frontValue(g, front, inputs))
      return front.store === 'uint8' ? Uint8Array.from(y, (v) => Math.round(255 * v)) : y
    },
    predict: (model, _split, rows) => runExported(engine, task, model, rows),
  }
}

export interface TrialOptions {
  engine: Engine
  task: MemoryTask
  yields: number
  folds?: number
  params?: HyperParams
  resumed?: TrialState | null
}

export interface TrialRun {
  plan: ValidationPlan
  labels: Float32Array
  events: TrialEvent[]
  /** As saved after the last event. */
  state: TrialState
  /** As saved at each candidate. */
  states: TrialState[]
}

type Snapshot = Parameters<TrialContext['saveState']>[0]

/** Advances a family by at most `yields` events under the counted pace. Every `folds`-th row validates; folds 1 is a holdout of a quarter. */
export async function runTrial(family: Family, options: TrialOptions): Promise<TrialRun> {
  const { engine, task, yields, folds = 1 } = options
  const profile = profileOf(task)
  const labels = new Float32Array(task.examples.length * task.classCount)
  task.examples.forEach(({ classes }, i) => {
    for (const k of classes) labels[i * task.classCount + k] = 1
  })
  const parts = folds === 1 ? 4 : folds
  const all = Array.from({ length: Math.min(folds, parts) }, (_, f) => ({
    train: Int32Array.from(task.examples.keys()).filter((i) => i % parts !== f),
    validation: Int32Array.from(task.examples.keys()).filter((i) => i % parts === f),
  }))
  const plan: ValidationPlan = {
    kind: folds === 1 ? 'holdout' : 'folds',
    folds: all,
    rows: Int32Array.from(all.flatMap(({ validation }) => [...validation])),
  }
  let left = yields
  let save: Snapshot | null = null
  const trial: TrialContext = {
    profile,
    params: { ...family.portfolio(profile)![0].params, ...options.params },
    plan,
    sample: plan.folds[0].train.slice(0, 20),
    labels,
    engine,
    rng: Rng.fromSeed(7),
    data: memoryData(engine, task),
    pace: { kind: 'steps', remainingSteps: () => left },
    resumed: options.resumed ?? null,
    saveState: (snapshot) => {
      save = snapshot
    },
  }
  const events: TrialEvent[] = []
  let state: TrialState = { facts: {}, arrays: {} }
  const states: TrialState[] = []
  for await (const event of family.train(trial)) {
    events.push(event)
    // Between yields, as a worker does: a trial that has ended has let go of its networks.
    if (save !== null && (left <= 2 || event.type === 'candidate')) state = await (save as Snapshot)()
    if (event.type === 'candidate') states.push(state)
    if (--left <= 0) break
  }
  return { plan, labels, events, state, states }
}
