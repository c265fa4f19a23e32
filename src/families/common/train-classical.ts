// The course of every learner that is fitted in one go (linear heads, kernels, trees, n-grams): a first model from the small
// sample, then, where the whole would take long, fits on growing parts of the training rows, then one fit per part of the
// validation plan, then a fit on all rows. A family supplies the fitter; slices, candidates and interrupted folds are handled here. Networks, which learn by epochs, do not use this.
import type { Model, TrialContext, TrialEvent, TrialState } from '../family.ts'

/** A safe point inside a fit. `done` of `of` in whatever unit `note` names. */
export interface FitProgress {
  done: number
  of: number | null
  note: string
}

export type FitStage = 'sample' | 'part' | 'fold' | 'all'

/** Rows of one part against the one before: all parts together then cost a seventh of the whole. */
const PART_GROWTH = 8
/** A part that is more than this share of the training rows is not worth a fit of its own... */
const LARGEST_PART = 1 / 3
/** ...nor is one that is not so many times the sample, whose model is out by then and would give way to it. */
const SMALLEST_PART = 2

/** A holdout leaves so few rows out of large data that a fit on all of them knows nothing new. */
export const NEARLY_ALL = 0.97

/** What a fit decided by looking at data (a penalty, a temperature, a number of rounds): reused where looking again costs too much. */
export type FitChoices = Record<string, number>

export interface Fitted {
  model: Model
  choices: FitChoices
  /** Scores [rows.length, K] of training rows. @default the engine runs `model`, which a family may know how to shorten */
  predict?(rows: Int32Array): Promise<Float32Array>
}

export interface Fitter {
  /**
   * Learns from training rows `rows`. Yields at least every 50-100 ms of work.
   * @param choices what an earlier fit of the same trial decided; null when this one has to decide for itself. Must not
   * decide by looking at rows outside `rows`.
   */
  fit(rows: Int32Array, stage: FitStage, choices: FitChoices | null): AsyncGenerator<FitProgress, Fitted, void>
}

export interface ClassicalOptions {
  /** Fit on the sample before the folds. @default false: only the family that gives the first prediction gains by it */
  sampleFirst?: boolean
  /** Training rows that a fit of a second or two has time for: a holdout that has many more starts with so many. @default all */
  firstPart?: number
  /** Fit on all rows at the end. @default true; a fit so slow that the last tenth of the rows is not worth it says false */
  refit?: boolean
}

/** The `train` of a classical family. */
export async function* trainClassical(
  trial: TrialContext,
  fitter: Fitter,
  options: ClassicalOptions = {},
): AsyncGenerator<TrialEvent, void, void> {
  const { plan } = trial
  const classCount = trial.profile.classCount
  const resumed = readState(trial.resumed, plan.rows.length * classCount)
  const validation = resumed?.validation ?? new Float32Array(plan.rows.length * classCount)
  let foldsDone = resumed?.foldsDone ?? 0
  let partsDone = resumed?.partsDone ?? 0
  let choices = resumed?.choices ?? null
  let finished = resumed?.finished ?? false
  trial.saveState(() => ({
    facts: { foldsDone, partsDone, choices, finished },
    arrays: { validation: validation.slice() },
  }))
  if (finished) return

  if (options.sampleFirst && resumed === null && trial.sample.length > 0) {
    const first = yield* watched('sample', fitter.fit(trial.sample, 'sample', null))
    yield { type: 'candidate', validation: null, model: first.model, trainedOn: 'sample' }
  }

  for (const [index, rows] of growingParts(trial, options.firstPart).entries()) {
    if (index < partsDone || foldsDone > 0) continue
    const part = yield* watched(`${rows.length} rows`, fitter.fit(rows, 'part', null))
    const scores = await scoresOf(trial, part, plan.rows)
    partsDone = index + 1
    yield { type: 'candidate', validation: scores, model: part.model, trainedOn: 'sample' }
  }

  const taughtShare = plan.folds[0].train.length / trial.profile.trainCount
  const refits = options.refit !== false && taughtShare < NEARLY_ALL
  let last: Fitted | null = null
  let at = 0
  for (const [index, fold] of plan.folds.entries()) {
    if (index >= foldsDone) {
      const note = plan.kind === 'folds' ? `fold ${index + 1} of ${plan.folds.length}` : 'training part'
      last = yield* watched(note, fitter.fit(fold.train, 'fold', choices))
      choices = last.choices
      validation.set(await scoresOf(trial, last, fold.validation), at)
      foldsDone = index + 1
      yield { type: 'progress', units: foldsDone, of: plan.folds.length, note: 'folds' }
    }
    at += fold.validation.length * classCount
  }
  if (plan.kind === 'holdout' && last !== null) {
    yield { type: 'candidate', validation: validation.slice(), model: last.model, trainedOn: 'train' }
    if (refits) yield { type: 'settled', taughtShare }
  }

  if (plan.kind === 'folds' || refits || last === null) {
    const whole = yield* watched('all rows', fitter.fit(allRows(trial), 'all', choices))
    finished = true
    yield { type: 'candidate', validation: validation.slice(), model: whole.model, trainedOn: 'all' }
  }
  finished = true
}

/** Growing random subsets of a holdout's training rows, ascending each; none where there are folds, since data are few then. */
function growingParts({ plan, sample, rng }: TrialContext, first = Number.POSITIVE_INFINITY): Int32Array[] {
  if (plan.kind !== 'holdout') return []
  const { train } = plan.folds[0]
  const sizes: number[] = []
  for (
    let size = Math.round(Math.max(1, first, SMALLEST_PART * sample.length));
    size <= LARGEST_PART * train.length;
    size *= PART_GROWTH
  )
    sizes.push(size)
  if (sizes.length === 0) return []
  const order = rng.split('parts').permutation(train.length)
  return sizes.map((size) =>
    order
      .slice(0, size)
      .map((at) => train[at])
      .sort(),
  )
}

/** [trainCount] 0, 1, 2, … */
export function allRows(trial: TrialContext): Int32Array {
  return Int32Array.from({ length: trial.profile.trainCount }, (_, row) => row)
}

async function* watched(
  stage: string,
  fit: AsyncGenerator<FitProgress, Fitted, void>,
): AsyncGenerator<TrialEvent, Fitted, void> {
  for (;;) {
    const step = await fit.next()
    if (step.done) return step.value
    const { done, of, note } = step.value
    yield { type: 'progress', units: done, of, note: `${stage}: ${note}` }
  }
}

async function scoresOf(trial: TrialContext, fitted: Fitted, rows: Int32Array): Promise<Float32Array> {
  return fitted.predict ? fitted.predict(rows) : trial.data.predict(fitted.model, 'train', rows)
}

interface ClassicalState {
  foldsDone: number
  partsDone: number
  choices: FitChoices | null
  finished: boolean
  validation: Float32Array
}

/** Null when there is nothing to resume, or when it belongs to another plan. */
function readState(state: TrialState | null, length: number): ClassicalState | null {
  const validation = state?.arrays.validation
  if (!state || !(validation instanceof Float32Array) || validation.length !== length) return null
  const { foldsDone, partsDone, choices, finished } = state.facts
  return {
    foldsDone: typeof foldsDone === 'number' ? foldsDone : 0,
    partsDone: typeof partsDone === 'number' ? partsDone : 0,
    choices: (choices ?? null) as FitChoices | null,
    finished: finished === true,
    validation: validation.slice(),
  }
}
