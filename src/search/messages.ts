// Everything that main and workers say to each other: one union per direction, validated where it is received, because a
// worker may be of an older build or may have lost its mind. Child process IPC with 'advanced' serialisation carries typed
// arrays. The exchange is synchronous on purpose: a worker with a candidate waits for the verdict before it trains on, so that
// the same seed and the same slices always meet the same state (counted mode).
import * as v from 'valibot'
import type { TaskProfile } from '../dataset/profile.ts'
import type { SearchSpace } from '../families/family.ts'

const integer = v.pipe(v.number(), v.integer())
const hyperParams = v.record(v.string(), v.union([v.number(), v.string(), v.boolean()]))
const floats = v.custom<Float32Array>((value) => value instanceof Float32Array)
const longs = v.custom<BigInt64Array>((value) => value instanceof BigInt64Array)

/** An error as it crosses a process boundary. */
const fault = v.object({
  code: v.string(),
  message: v.string(),
  exitCode: integer,
  hint: v.optional(v.string()),
  stack: v.optional(v.string()),
})
export type Fault = v.InferOutput<typeof fault>

const sliceLimit = v.variant('kind', [
  /** The slice ends at the first yield after `ms`; the trial can hope for time until `untilMs` of the run's clock. */
  v.object({ kind: v.literal('clock'), ms: v.number(), untilMs: v.number() }),
  /** The slice is `steps` yields; `left` of them remain to the whole run. */
  v.object({ kind: v.literal('steps'), steps: integer, left: integer }),
])
export type SliceLimit = v.InferOutput<typeof sliceLimit>

const toWorker = v.variant('type', [
  v.object({
    type: v.literal('configure'),
    worker: integer,
    /**
     * 'starter' tells the profile and starts the lowest-order portfolio entry without being asked, up to its first candidate;
     * 'teller' tells only (a resumed run has its first prediction); 'helper' waits for orders.
     */
    role: v.picklist(['starter', 'teller', 'helper']),
    data: v.string(),
    out: v.string(),
    seed: v.number(),
    /** Where networks train. */
    engine: v.picklist(['onnx', 'tfjs']),
    device: v.string(),
    /** Of one training step of the yardstick there, as probed; null: not known. */
    yardstickMs: v.nullable(v.number()),
    /** Of this worker alone. */
    threads: integer,
    /** Of the run, this one included, as far as is known: what is not a worker's own is shared by so many. */
    workers: integer,
    memoryBytes: v.number(),
    families: v.nullable(v.array(v.string())),
    familyModules: v.array(v.string()),
    /** Unix time of the run's time zero, milliseconds. */
    originUnixMs: v.number(),
    limit: sliceLimit,
  }),
  v.object({
    type: v.literal('slice'),
    trial: v.string(),
    family: v.string(),
    params: hyperParams,
    limit: sliceLimit,
    /** Keep the trial's state on disk when the slice ends. */
    snapshot: v.boolean(),
  }),
  /** Whether the candidate that the worker waits on is worth predicting the test split with. */
  v.object({ type: v.literal('verdict'), trial: v.string(), member: v.string(), keep: v.boolean() }),
  /** Give a trial's memory back; it is over. */
  v.object({ type: v.literal('drop'), trial: v.string() }),
  /** Save what can be saved within `ms`, then exit. */
  v.object({ type: v.literal('leave'), ms: v.number() }),
])
export type ToWorker = v.InferOutput<typeof toWorker>

const portfolioEntry = v.object({ family: v.string(), params: hyperParams, order: v.number() })
export type PlannedTrial = v.InferOutput<typeof portfolioEntry>

const probe = v.object({
  /** Positions in the test split. */
  rows: v.array(integer),
  feeds: v.record(
    v.string(),
    v.object({
      type: v.picklist(['float32', 'int64']),
      shape: v.array(integer),
      data: v.union([floats, longs]),
    }),
  ),
})
export type Probe = v.InferOutput<typeof probe>

const fromWorker = v.variant('type', [
  v.object({ type: v.literal('hello'), pid: integer }),
  v.object({
    type: v.literal('profile'),
    profile: v.custom<TaskProfile>((value) => typeof value === 'object' && value !== null),
    /** Ids of the test examples in order. */
    testIds: v.custom<Float64Array>((value) => value instanceof Float64Array),
    planKind: v.picklist(['holdout', 'folds']),
    /** [V, K] labels of the plan's rows. */
    validationLabels: floats,
    /** What identifies these data on --resume. */
    fingerprint: v.string(),
  }),
  v.object({
    type: v.literal('portfolio'),
    /** Sorted by order. */
    entries: v.array(portfolioEntry),
    spaces: v.record(
      v.string(),
      v.custom<SearchSpace>((value) => typeof value === 'object' && value !== null),
    ),
    /** Families that learn for as long as they may. */
    openEnded: v.array(v.string()),
    engine: v.string(),
    device: v.string(),
    threads: integer,
    /** A few test examples as model inputs, to check merged models with; examples of one size share a batch. */
    probes: v.array(probe),
  }),
  v.object({
    type: v.literal('progress'),
    trial: v.string(),
    units: v.number(),
    of: v.nullable(v.number()),
    note: v.string(),
  }),
  /** What a trial is at while it yields nothing for long; a sign of life. */
  v.object({ type: v.literal('alive'), trial: v.string(), note: v.string() }),
  /** The starter opened this trial by itself. */
  v.object({ type: v.literal('opened'), trial: v.string(), family: v.string(), params: hyperParams }),
  v.object({
    type: v.literal('candidate'),
    trial: v.string(),
    family: v.string(),
    member: v.string(),
    trainedOn: v.picklist(['sample', 'train', 'all']),
    validation: v.nullable(floats),
    /** The worker keeps it without being asked: the run's first model. */
    staged: v.boolean(),
    /** Spent by the trial in this slice so far. */
    ms: v.number(),
    steps: integer,
  }),
  /** The member's folder is whole: its graph and its test scores. */
  v.object({
    type: v.literal('member'),
    trial: v.string(),
    member: v.string(),
    bytes: v.number(),
    predictMs: v.number(),
  }),
  v.object({
    type: v.literal('slice-end'),
    trial: v.string(),
    status: v.picklist(['paused', 'finished', 'failed']),
    startMs: v.number(),
    ms: v.number(),
    steps: integer,
    units: v.number(),
    of: v.nullable(v.number()),
    note: v.string(),
    /** Of a trial that only needs a fit on all rows: the share that it has learned from. */
    taughtShare: v.nullable(v.number()),
    rssBytes: v.number(),
    error: v.optional(fault),
  }),
  v.object({ type: v.literal('warning'), message: v.string() }),
  /** The data cannot be used, or this worker cannot work: nothing follows. */
  v.object({ type: v.literal('fault'), error: fault }),
  /** How far the first prediction is; shown where AUTOML_MARKS is set. `cpuMs`: of the worker's process so far. */
  v.object({ type: v.literal('mark'), name: v.string(), atMs: v.number(), cpuMs: v.number() }),
])
export type FromWorker = v.InferOutput<typeof fromWorker>

/** @throws Error naming the field; a wrong message is a defect, not bad input */
export function parseToWorker(message: unknown): ToWorker {
  return parse(toWorker, message)
}

/** @throws Error naming the field */
export function parseFromWorker(message: unknown): FromWorker {
  return parse(fromWorker, message)
}

function parse<S extends v.GenericSchema>(schema: S, message: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, message)
  if (result.success) return result.output
  const issue = result.issues[0]
  const type = (message as { type?: unknown } | null)?.type
  throw new Error(`message ${String(type)}: ${v.getDotPath(issue) ?? 'type'}: ${issue.message}`)
}
