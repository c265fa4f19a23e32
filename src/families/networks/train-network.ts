// How networks are trained here: cycles of a falling learning rate, each about twice as long as all before it together, so that a
// good model exists early and the best one at the deadline (the score is an area over log time). While the rate is still high,
// the running average of the weights is what gets published. Few data: the networks of all folds are trained in turn, and
// their mean is the model. Between cycles the plan may choose another network, larger as time allows.
import type { Tensor } from '../../engine/engine.ts'
import {
  createTrainer,
  frozenNetwork,
  type Trainer,
  type TrainerState,
  type Training,
  type Weights,
} from '../../engine/trainer.ts'
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, mul, reverse, sigmoid, softmax } from '../../graph/functions.ts'
import { nauc } from '../../metrics/nauc.ts'
import { bestSharpness, sharpen } from '../../metrics/sharpness.ts'
import { AutomlError } from '../../support/errors.ts'
import { balanceOf, classWeightsOf } from '../common/balance.ts'
import { sharper } from '../common/calibration.ts'
import { type Link, priorIntercepts, targetsOf } from '../common/label-statistics.ts'
import type { Model, TrialContext, TrialEvent, TrialState } from '../family.ts'
import { classifier } from './classifier.ts'
import { type CycleShape, FIRST_CYCLE, LATER_CYCLE, REFIT_CYCLE, rateAt } from './cycle.ts'
import { nextCycleMsBefore, publishIsDue } from './cycle-plan.ts'
import { type EpochSampler, epochSampler } from './epochs.ts'
import type { LearnerPlan, NetworkLearner } from './learner.ts'
import { type HeldRows, heldAmong, labelsOf, rowTargets, teachingRows } from './teaching-rows.ts'
import { type TrainingClock, trainingClock } from './training-clock.ts'

/** Multiply-adds per second of training (forward and backward) that the counted pace supposes; only its order matters. */
const NOMINAL_MACS_PER_MS = 1.5e7
/** Nominal time of a step's fixed parts. */
const NOMINAL_STEP_MS = 3
/** Share of the steps so far in a cycle that the running average reaches back over. */
const AVERAGE_REACH = 0.12

/** Time kept at the end besides that for judging and predicting what the last cycle made. */
const MARGIN_MS = 400
/** Judging and predicting are slower at times than they were. */
const SLOWER = 1.4
/** Multiply-adds per millisecond and thread of prediction, before the first one has shown what it takes. */
const FORWARD_MACS_PER_MS = 16e6

interface FoldState {
  rows: Int32Array
  training: Training
  sampler: EpochSampler
}

/** Share of the last cycle that trains on the held-out rows too. */
const REFIT_SHARE = 0.25

/** What is kept between cycles and across interruptions. */
interface Course {
  cycle: number
  spentMs: number
  signature: string | null
  /** Factor on all rates; lowered when the loss stops being a number. */
  rateFactor: number
  best: number
  /** What publishing took last time, judging included. */
  publishMs: number
}

export async function* trainNetwork(
  trial: TrialContext,
  link: Link,
  plan: LearnerPlan,
): AsyncGenerator<TrialEvent, void, void> {
  const { profile, rng } = trial
  const course: Course = {
    cycle: 0,
    spentMs: 0,
    signature: null,
    rateFactor: 1,
    best: Number.NEGATIVE_INFINITY,
    publishMs: 0,
  }
  const restored = trial.resumed ? restore(trial.resumed, course) : null
  const clock = trainingClock(trial.pace, course.spentMs)
  const targets = rowTargets(trial.labels, profile.classCount, link)
  const held = heldAmong(profile.trainCount, plan.held)
  const foldCount = trial.plan.folds.length
  const classWeights = classWeightsOf(
    link,
    trial.labels,
    profile.classCount,
    trial.plan.folds[0].train,
    balanceOf(trial.params),
  )
  let folds: FoldState[] = []
  let trainer: Trainer | null = null
  let learner: NetworkLearner | null = null
  trial.saveState(() => snapshot({ ...course, spentMs: clock.spentMs() }, folds))
  const trainable = () => trainableMs(trial, clock, course, learner)
  try {
    for (;;) {
      const cycleMs = nextCycleMsBefore(
        (ms) => plan.startsAnew?.(ms / foldCount) ?? false,
        clock.spentMs(),
        trainable(),
        plan.firstCycleMs,
      )
      if (cycleMs === null) {
        const last = await snapshot({ ...course, spentMs: clock.spentMs() }, folds)
        trial.saveState(() => last)
        return
      }
      const chosen = await plan.learnerFor(course.cycle, cycleMs / foldCount, course.signature)
      if (trainer === null || learner === null || chosen.signature !== learner.signature) {
        await releaseAll(folds, trainer)
        const { batch, optimizer } = chosen
        trainer = await createTrainer(
          trial.networkEngine ?? trial.engine,
          classifier(chosen.definition, { labelSmoothing: chosen.labelSmoothing, classWeights }),
          {
            batch,
            optimizer,
            ema: true,
          },
        )
        const stream = rng.split(`cycle ${course.cycle}`)
        const kept = restored !== null && learner === null && course.signature === chosen.signature ? restored : null
        folds = []
        for (const [f, fold] of trial.plan.folds.entries()) {
          folds.push({
            rows: fold.train,
            training: await (kept ? trainer.resume(kept[f]) : trainer.start(stream.split(`weights ${f}`))),
            sampler: epochSampler(
              teachingRows(held(fold.train), targets, profile.classCount, link),
              stream.split(`order ${f}`),
            ),
          })
        }
        if (kept === null) course.rateFactor = 1
        if (learner !== null) course.publishMs *= chosen.macs / learner.macs
        course.signature = chosen.signature
      }
      learner = chosen
      // A cross-validation's networks have seen every row between them; a single one leaves out those that judged it.
      const isLast = folds.length === 1 && course.cycle > 0 && cycleMs >= 0.98 * trainable()
      const shape = folds.every(({ training }) => training.steps === 0) ? FIRST_CYCLE : LATER_CYCLE
      const cycle = { trial, clock, course, learner, folds, targets, link }
      const part = isLast ? 1 - REFIT_SHARE : 1
      yield* runCycle({ ...cycle, shape, cycleMs: part * cycleMs, part })
      const { validation, power } = yield* publish(cycle, false)
      course.cycle++
      if (!isLast) continue
      // Weights that have learned from the rows that judge them must not be what a later session goes on from.
      const judged = await snapshot({ ...course, spentMs: clock.spentMs() }, folds)
      trial.saveState(() => judged)
      const order = rng.split('refit order')
      const everything = [{ ...folds[0], sampler: epochSampler(allTeachingRows(trial, held, targets, link), order) }]
      const before = folds[0].training.steps
      yield* runCycle({ ...cycle, folds: everything, shape: REFIT_CYCLE, cycleMs: trainable(), part: 1 })
      if (folds[0].training.steps === before) return
      const weights = await folds[0].training.weights('average')
      yield { type: 'candidate', validation, model: averageModel(learner, [weights], link, power), trainedOn: 'all' }
      return
    }
  } finally {
    await releaseAll(folds, trainer)
  }
}

async function releaseAll(folds: readonly FoldState[], trainer: Trainer | null): Promise<void> {
  for (const { training } of folds) await training.release()
  await trainer?.release()
}

interface Cycle {
  trial: TrialContext
  clock: TrainingClock
  course: Course
  learner: NetworkLearner
  folds: readonly FoldState[]
  targets: Float32Array
  link: Link
  shape: CycleShape
  cycleMs: number
  /** Share of all that may still be trained that this cycle takes at most. */
  part: number
}

/** Trains every fold for its share of the cycle; in the middle of a long one, offers what is better than all before. */
async function* runCycle(cycle: Cycle): AsyncGenerator<TrialEvent, void, void> {
  const { trial, clock, course, learner, folds, targets, shape, cycleMs, part } = cycle
  const { classCount } = trial.profile
  const batch = Math.max(1, learner.batch)
  const size = learner.definition.inputShape.reduce((a, b) => a * b, 1)
  const x = learner.definition.inputType === 'uint8' ? new Uint8Array(batch * size) : new Float32Array(batch * size)
  const batchTargets = new Float32Array(batch * classCount)
  const feeds: Record<string, Tensor> = {
    x: { type: learner.definition.inputType, shape: [batch, ...learner.definition.inputShape], data: x },
    targets: { type: 'float32', shape: [batch, classCount], data: batchTargets },
  }
  const rows = new Int32Array(batch)
  const stepMs = NOMINAL_STEP_MS + (3 * batch * learner.macs) / NOMINAL_MACS_PER_MS
  let publishedAt = clock.spentMs()
  for (const [f, fold] of folds.entries()) {
    const stream = trial.rng.split(`augment ${course.cycle} ${f}`)
    const start = clock.spentMs()
    const share = folds.length === 1 ? cycleMs : (cycleMs - (start - publishedAt)) / (folds.length - f)
    const backup = await fold.training.state()
    let paused = 0
    for (let steps = 0; ; steps++) {
      const spent = clock.spentMs() - start - paused
      const trainable = trainableMs(trial, clock, course, learner)
      // Where other trials take part of what could be had at best, every fold gives up its share of that.
      const done = spent / Math.min(share, (part * (spent + trainable)) / (folds.length - f))
      if (trainable <= 0 || done >= 1) break
      fold.sampler.next(rows)
      for (let i = 0; i < batch; i++) {
        batchTargets.set(targets.subarray(rows[i] * classCount, (rows[i] + 1) * classCount), i * classCount)
      }
      learner.batches.fill(rows, x, batchTargets, stream, done)
      try {
        await fold.training.step(feeds, {
          lr: learner.rate * course.rateFactor * rateAt(shape, done),
          weightDecay: learner.weightDecay,
          emaDecay: 1 - 1 / (1 + AVERAGE_REACH * steps),
        })
      } catch (error) {
        await recover(error, course, fold, backup)
      }
      if (clock.due(stepMs)) {
        const note =
          folds.length === 1 ? `epochs, cycle ${course.cycle + 1}` : `epochs, cycle ${course.cycle + 1}, fold ${f + 1}`
        clock.yielded()
        yield { type: 'progress', units: fold.sampler.epochs(), of: null, note }
      }
      if (
        folds.length === 1 &&
        shape !== REFIT_CYCLE &&
        done > (shape === FIRST_CYCLE ? 0.4 : 0.15) &&
        done < 0.85 &&
        publishIsDue(clock.spentMs(), publishedAt, course.publishMs)
      ) {
        publishedAt = clock.spentMs()
        yield* publish(cycle, true)
        paused += clock.spentMs() - publishedAt
      }
    }
  }
}

/** Time left for training, once judging on the validation rows and predicting the test rows, by every fold's network, are taken off. */
function trainableMs(
  { pace, plan, profile, engine }: TrialContext,
  clock: TrainingClock,
  { publishMs }: Course,
  learner: NetworkLearner | null,
): number {
  const rows = Math.max(1, plan.rows.length)
  const views = 1 + (learner?.views?.length ?? 0)
  const guessed =
    pace.kind === 'clock' ? (rows * views * (learner?.macs ?? 0)) / (FORWARD_MACS_PER_MS * engine.threads) : 0
  const judgeMs = SLOWER * (publishMs > 0 ? publishMs : guessed)
  const testMs = (judgeMs * plan.folds.length * profile.testCount) / rows
  const reserved = clock.reservedMs()
  return clock.leftMs() + reserved - Math.max(reserved, testMs) - judgeMs - MARGIN_MS
}

interface Judged {
  /** [plan.rows.length, K] scores of the validation rows */
  validation: Float32Array
  /** What probabilities were raised to. */
  power: number
}

/** Judges the averaged weights and offers them: always at the end of a cycle, in its middle only when they are the best so far. */
async function* publish(
  { trial, clock, course, learner, folds, link }: Omit<Cycle, 'shape' | 'cycleMs' | 'part'>,
  onlyIfBetter: boolean,
): AsyncGenerator<TrialEvent, Judged, void> {
  const { plan, profile, labels } = trial
  const start = clock.spentMs()
  const weights: Weights[] = []
  for (const { training } of folds) weights.push(await training.weights('average'))
  const models = weights.map((own) => averageModel(learner, [own], link))
  const validation = new Float32Array(plan.rows.length * profile.classCount)
  let at = 0
  for (const [f, fold] of plan.folds.entries()) {
    validation.set(await trial.data.predict(models[f], 'train', fold.validation), at)
    at += fold.validation.length * profile.classCount
  }
  course.publishMs = clock.spentMs() - start
  // A cross-validation's mean is less sure than its networks are, by which it is judged.
  const truth = labelsOf(labels, plan.rows, profile.classCount)
  const judged = calibrated(truth, validation, profile.classCount, link === 'softmax' && folds.length === 1)
  const { power, quality } = judged
  if (onlyIfBetter && quality <= course.best) return judged
  course.best = Math.max(course.best, quality)
  const model = folds.length === 1 && power === 1 ? models[0] : averageModel(learner, weights, link, power)
  yield { type: 'candidate', validation: judged.validation, model, trainedOn: 'train' }
  return judged
}

/** A network that was trained for long is too sure of itself, and ranks examples worse than when it says what it means. */
function calibrated(
  labels: Float32Array,
  validation: Float32Array,
  classCount: number,
  may: boolean,
): Judged & { quality: number } {
  const plain = { validation, power: 1, quality: nauc(labels, validation, classCount) }
  if (!may) return plain
  const { power } = bestSharpness(labels, validation, classCount)
  const scores = sharpen(validation, classCount, power)
  const quality = power === 1 ? plain.quality : nauc(labels, scores, classCount)
  return quality > plain.quality ? { validation: scores, power, quality } : plain
}

/** Mean of the class probabilities of several networks, each over all views, raised to a power. */
function averageModel(learner: NetworkLearner, weights: readonly Weights[], link: Link, power = 1): Model {
  const networks = weights.map((own) =>
    frozenNetwork(classifier(learner.definition, { labelSmoothing: 0, classWeights: null }), own),
  )
  const views = learner.views ?? []
  return {
    front: learner.front,
    build(g, x) {
      const seen = [x!, ...views.map(() => reverse(g, x!, x!.shape.length - 1))]
      const scores = networks.flatMap((network) => seen.map((view) => probabilities(g, network(g, { x: view }), link)))
      if (scores.length === 1) return sharper(g, scores[0], power)
      const mean = mul(
        g,
        scores.reduce((sum, each) => add(g, sum, each)),
        1 / scores.length,
      )
      return sharper(g, mean, power)
    },
  }
}

function probabilities(g: GraphBuilder, logits: Value, link: Link): Value {
  return link === 'softmax' ? softmax(g, logits) : sigmoid(g, logits)
}

/** Back to the weights at the start of the cycle, with a quarter of the rate. @throws NAN_LOSS the second time, and all else */
async function recover(error: unknown, course: Course, fold: FoldState, backup: TrainerState): Promise<void> {
  if (!(error instanceof AutomlError && error.code === 'NAN_LOSS')) throw error
  if (course.rateFactor < 1) {
    throw new AutomlError('NAN_LOSS', 'the loss is not a number, also at a quarter of the learning rate')
  }
  course.rateFactor = 0.25
  await fold.training.restore(backup)
}

function allTeachingRows({ profile }: TrialContext, held: HeldRows, targets: Float32Array, link: Link): Int32Array {
  const rows = held(Int32Array.from({ length: profile.trainCount }, (_, row) => row))
  return teachingRows(rows, targets, profile.classCount, link)
}

async function snapshot(course: Course, folds: readonly FoldState[]): Promise<TrialState> {
  const arrays: Record<string, Float32Array> = {}
  const trainings: TrainerState['facts'][] = []
  for (const [f, { training }] of folds.entries()) {
    const state = await training.state()
    trainings.push(state.facts)
    for (const [name, array] of Object.entries(state.arrays)) arrays[`${f}/${name}`] = array
  }
  return { facts: { ...course, trainings }, arrays }
}

/** Fills `course`; the folds' states, or null when there are none. */
function restore({ facts, arrays }: TrialState, course: Course): TrainerState[] | null {
  const { trainings } = facts
  if (!Array.isArray(trainings)) return null
  course.cycle = Number(facts.cycle)
  course.spentMs = Number(facts.spentMs)
  course.signature = String(facts.signature)
  course.rateFactor = Number(facts.rateFactor)
  course.best = Number(facts.best)
  course.publishMs = Number(facts.publishMs)
  const states = trainings.map(({ step, seed }): TrainerState => {
    return { facts: { step: Number(step), seed: Number(seed) }, arrays: {} }
  })
  for (const [name, array] of Object.entries(arrays)) {
    const slash = name.indexOf('/')
    states[Number(name.slice(0, slash))].arrays[name.slice(slash + 1)] = array as Float32Array
  }
  return states
}

/** [K] intercepts that give the class frequencies among the rows that teach. */
export function interceptsOf(trial: TrialContext, link: Link): Float32Array {
  const { labels, plan, profile } = trial
  return priorIntercepts(targetsOf(link, labels, profile.classCount, plan.folds[0].train))
}
