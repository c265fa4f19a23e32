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

export interface MemoryExample {
  /** [t, rows, cols, channels] */
  shape: [number, number, number, number]
  values: number[]
  /** Positive classes. */
  classes: number[]
}

export interface MemoryTask {
  kind: Kind
  classCount: number
  /** Pictures are bytes. */
  bytes: boolean
  /** The number of steps varies. */
  varies: boolean
  vocabulary: string[]
  examples: MemoryExample[]
}

export function profileOf(task: MemoryTask): TaskProfile {
  const extent = (axis: number) => {
    const sizes = task.examples.map(({ shape }) => shape[axis]).sort((a, b) => a - b)
    return { min: sizes[0], median: sizes[sizes.length >> 1], max: sizes[sizes.length - 1] }
  }
  const channels = task.examples[0].shape[3]
  const spec: MatrixSpec = {
    rows: extent(1).max,
    cols: extent(2).max,
    channels,
    format: task.bytes ? 'COMPRESSED' : 'DENSE',
    isSequenceRow: false,
    isSequenceCol: false,
    hasLocalityRow: true,
    hasLocalityCol: true,
  }
  const matrix: MatrixProfile = {
    spec,
    steps: extent(0),
    rows: extent(1),
    cols: extent(2),
    channels,
    fixed: !task.varies,
    values: { min: 0, max: 1, mean: 0.5, std: 0.3 },
    missing: 0,
    infinite: 0,
    density: 1,
    integral: false,
  }
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
      matrices: [spec],
      isSequence: task.varies,
      outputDim: task.classCount,
      sequenceSize: task.varies ? -1 : extent(0).max,
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
    matrices: [matrix],
    vocabulary: task.vocabulary.length > 0 ? { size: task.vocabulary.length, meanTokenLength: 5 } : null,
    trainBytes: 0,
    warnings: [],
  }
}

function inputsOf(g: GraphBuilder, { matrices, spec }: TaskProfile): ModelInput[] {
  return matrices.map(({ steps, rows, cols, channels }, i) => {
    const open = spec.sequenceSize === -1
    const shape = ['n', open ? 't' : steps.max, rows.max, cols.max, channels]
    return {
      matrix: g.input(`matrix_${i}`, 'float32', shape),
      length: open ? g.input(`length_${i}`, 'int64', ['n']) : null,
    }
  })
}

function feedsOf(task: MemoryTask, rows: Int32Array): Record<string, Tensor> {
  const examples = Array.from(rows, (row) => task.examples[row])
  const [, r, c, channels] = examples[0].shape
  const steps = Math.max(...examples.map(({ shape }) => shape[0]))
  const data = new Float32Array(rows.length * steps * r * c * channels)
  examples.forEach(({ values }, i) => {
    data.set(task.bytes ? values.map((v) => v / 255) : values, i * steps * r * c * channels)
  })
  const feeds: Record<string, Tensor> = {
    matrix_0: { type: 'float32', shape: [rows.length, steps, r, c, channels], data },
  }
  if (task.varies) {
    const lengths = BigInt64Array.from(examples, ({ shape }) => BigInt(shape[0]))
    feeds.length_0 = { type: 'int64', shape: [rows.length], data: lengths }
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
    async raw(_split: SplitName, rows: Int32Array) {
      const examples = Array.from(rows, (row) => task.examples[row])
      const offsets = new Float64Array(rows.length + 1)
      examples.forEach(({ values }, i) => {
        offsets[i + 1] = offsets[i] + values.length
      })
      const all = examples.flatMap(({ values }) => values)
      const batch: DenseBatch = {
        layout: 'dense',
        data: task.bytes ? Uint8Array.from(all) : Float32Array.from(all),
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
