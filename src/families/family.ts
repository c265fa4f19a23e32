// The extension point for learners: a family turns (task profile, hyperparameters) into a training routine that can be
// advanced by a slice. A routine is an async generator: every `yield` is a safe point where the scheduler may pause it,
// switch to another trial, or end. Nothing here knows processes, files or the deadline.
import type { MatrixBatch, SplitName } from '../dataset/batch.ts'
import type { TaskProfile } from '../dataset/profile.ts'
import type { Engine } from '../engine/engine.ts'
import type { GraphBuilder, Value } from '../graph/builder.ts'
import type { Rng } from '../support/rng.ts'

export type HyperValue = number | string | boolean
export type HyperParams = Record<string, HyperValue>

/** One hyperparameter's domain; `reason` says why it is searched and why in this range. */
export type Domain =
  | { type: 'float'; low: number; high: number; log?: boolean; reason: string }
  | { type: 'int'; low: number; high: number; log?: boolean; reason: string }
  | { type: 'choice'; options: readonly HyperValue[]; reason: string }
export type SearchSpace = Record<string, Domain>

/** The inputs of an exported model, in the order of the specification's matrices. */
export interface ModelInput {
  /** `matrix_<i>`: float32 [n, t, rows, cols, channels]; sizes that vary by example are symbolic, padded with 0 along t only. */
  matrix: Value
  /** `length_<i>`: int64 [n], valid steps; null unless the number of steps varies. */
  length: Value | null
}

/**
 * A fixed transform of an example into one tensor of static shape, written as graph ops, so that training features, validation
 * and the exported model share one definition. Its outputs are computed once per example and cached under `key`.
 */
export interface FrontEnd {
  /** Equal keys mean equal outputs: put every parameter (and a hash of fitted constants) into it. */
  key: string
  /** Another front end whose output this one starts from; null: the model inputs. */
  base: FrontEnd | null
  /** Shape of one example's output. */
  shape: readonly number[]
  /** How outputs are cached: 'uint8' keeps round(255 x) for x in [0, 1], and the graph rounds likewise. */
  store: 'float32' | 'uint8'
  /**
   * Looks only at so many steps of every matrix, chosen by dataset/middle-steps.ts, and at all of a matrix that
   * has exactly so many: pictures at other steps need not be decoded. @default all steps
   */
  steps?: number
  /**
   * Looks only at an excerpt of every matrix, at most so many consecutive steps from its middle (dataset/excerpt.ts), so that the
   * rest of long sequences need not be read. Not together with `steps`. @default all of it
   */
  excerpt?: number
  /** `x`: base output [n, ...base.shape] when there is a base, else null. Returns float32 [n, ...shape]. */
  build(g: GraphBuilder, x: Value | null, inputs: readonly ModelInput[]): Value
  /**
   * The same outputs without the engine, [n, ...shape] from base outputs [n, ...base.shape], where that is faster. A test must
   * hold it to what `build` computes.
   */
  compute?(base: Float32Array, n: number): Float32Array
}

/** A trained model: front end, then a head that gives class scores. */
export interface Model {
  front: FrontEnd | null
  /**
   * `x`: front output [n, ...front.shape], or null without a front. Returns float32 [n, K] in [0, 1]: softmax over classes for
   * single-label tasks (NAUC ranks examples within a class, so scores are normalised within the example), sigmoid for multi-label.
   */
  build(g: GraphBuilder, x: Value | null, inputs: readonly ModelInput[]): Value
}

/** Which training rows teach and which judge. */
export interface ValidationPlan {
  /** 'holdout': one part of rows judges; 'folds': every row is judged once, by a model that did not see it. */
  kind: 'holdout' | 'folds'
  folds: { train: Int32Array; validation: Int32Array }[]
  /** All validation rows in the order in which candidates report scores (folds concatenated). */
  rows: Int32Array
}

export type TrialEvent =
  /** A safe point. `units` of `of` (epochs, rounds, folds: the family's word in `note`) are done; `of` is null if open-ended. */
  | { type: 'progress'; units: number; of: number | null; note: string }
  /**
   * A model worth judging. `validation`: [plan.rows.length, K] scores of models that did not see those rows, or null when
   * not known yet (the first quick model).
   */
  | { type: 'candidate'; validation: Float32Array | null; model: Model; trainedOn: 'sample' | 'train' | 'all' }
  /** It is judged for good, by a model of this share of the training rows: all that is left is a fit on all of them. */
  | { type: 'settled'; taughtShare: number }

/** What a trial may use. All of it belongs to one worker process. */
export interface TrialContext {
  readonly profile: TaskProfile
  readonly params: HyperParams
  readonly plan: ValidationPlan
  /** A small stratified sample of training rows outside every validation row of a holdout, for the quickest first model. */
  readonly sample: Int32Array
  /** [trainCount, K], row-major label scores in [0, 1]. */
  readonly labels: Float32Array
  /** On the processor: features, small fits, and all that is published. */
  readonly engine: Engine
  /** Where networks train, when that is elsewhere: a GPU, or another engine. @default engine */
  readonly networkEngine?: Engine
  /** What one training step of the yardstick (engine/devices/yardstick.ts) takes on a `networkEngine` of its own, where a probe timed it. */
  readonly yardstickMs?: number | null
  readonly rng: Rng
  readonly data: TrialData
  readonly pace: Pace
  /** What `saveState` kept before an interruption, or null at a fresh start. */
  readonly resumed: TrialState | null
  /** Registers how to snapshot this trial. Called only between yields. */
  saveState(snapshot: () => TrialState | Promise<TrialState>): void
}

/** JSON-able facts and named arrays: weights, optimizer moments, counters. */
export interface TrialState {
  facts: Record<string, unknown>
  arrays: Record<string, Float32Array | Int32Array>
}

/** How long a trial can expect to train: for schedules (one-cycle) and for choosing sizes. */
export type Pace =
  | {
      kind: 'clock'
      /** Milliseconds this trial can still hope to get, at best. */
      remainingMs(): number
      /** What `remainingMs` keeps free for predicting the test rows, as it took last time. @default 0 */
      reservedMs?(): number
      elapsedMs(): number
    }
  | {
      kind: 'steps'
      /** Counted schedule, for reproducible runs: yields left. */
      remainingSteps(): number
    }

export interface TrialData {
  /** Matrix `matrix` of `rows` of a split, decoded. Pictures are uint8. */
  raw(split: SplitName, rows: Int32Array, matrix?: number): Promise<MatrixBatch>
  /** Front-end outputs, [rows.length, ...front.shape]; uint8 for fronts stored so. Computed once, cached, shared. */
  features(front: FrontEnd, split: SplitName, rows: Int32Array): Promise<Float32Array | Uint8Array>
  /** Scores of a model for rows of a split, [rows.length, K], by running its graph. */
  predict(model: Model, split: SplitName, rows: Int32Array): Promise<Float32Array>
}

export interface PortfolioEntry {
  params: HyperParams
  /** Rank in the order of first tries: lower first. The entry ranked first overall also makes the first prediction, from the sample. */
  order: number
}

export interface Family {
  readonly name: string
  /** One line for people. */
  readonly summary: string
  /** It learns for as long as it may, and has no end of its own. @default false */
  readonly openEnded?: boolean
  /** Null when this family cannot learn from such data; else its portfolio. */
  portfolio(profile: TaskProfile): PortfolioEntry[] | null
  space(profile: TaskProfile): SearchSpace
  train(trial: TrialContext): AsyncGenerator<TrialEvent, void, void>
}
