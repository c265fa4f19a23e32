// The course of every learner that is fitted in one go (linear heads, kernels, trees, n-grams): a first model from the small
// sample, then one fit per part of the validation plan, then a fit on all rows. A family supplies the fitter; slices, candidates
// and interrupted folds are handled here. Networks, which learn by epochs, do not use this.
import type { Model, TrialContext, TrialEvent, TrialState } from '../family.ts'

/** A safe point inside a fit. `done` of `of` in whatever unit `note` names. */
export interface FitProgress {
  done: number
  of: number | null
  note: string
}

export type FitStage = 'sample' | 'fold' | 'all'

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
  let choices = resumed?.choices ?? null
  let finished = resumed?.finished ?? false
  trial.saveState(() => ({ facts: { foldsDone, choices, finished }, arrays: { validation: validation.slice() } }))
  if (finished) return

  if (options.sampleFirst && resumed === null && trial.sample.length > 0) {
    const first = yield* watched('sample', fitter.fit(trial.sample, 'sample', null))
    yield { type: 'candidate', validation: null, model: first.model, trainedOn: 'sample' }
  }

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
  }

  if (plan.kind === 'folds' || options.refit !== false || last === null) {
    const whole = yield* watched('all rows', fitter.fit(allRows(trial), 'all', choices))
    finished = true
    yield { type: 'candidate', validation: validation.slice(), model: whole.model, trainedOn: 'all' }
  }
  finished = true
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
  choices: FitChoices | null
  finished: boolean
  validation: Float32Array
}

/** Null when there is nothing to resume, or when it belongs to another plan. */
function readState(state: TrialState | null, length: number): ClassicalState | null {
  const validation = state?.arrays.validation
  if (!state || !(validation instanceof Float32Array) || validation.length !== length) return null
  const { foldsDone, choices, finished } = state.facts
  return {
    foldsDone: typeof foldsDone === 'number' ? foldsDone : 0,
    choices: (choices ?? null) as FitChoices | null,
    finished: finished === true,
    validation: validation.slice(),
  }
}
