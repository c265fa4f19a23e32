// One fit of a logistic regression on a front end's features: gather, standardise, choose the penalty, fit, fold everything into
// one matrix product.
import { balanceOf } from '../common/balance.ts'
import { collectFeatures, thin, widthOf } from '../common/collect-features.ts'
import { linkOf, targetsOf } from '../common/label-statistics.ts'
import type { FitChoices, FitProgress, FitStage, Fitted } from '../common/train-classical.ts'
import type { Model, TrialContext } from '../family.ts'
import type { DenseFeatures } from './features.ts'
import { type LinearMap, linearScores, logisticSolver } from './logistic.ts'
import { choosePenalty } from './penalty-path.ts'
import { foldStandardisation, standardisationOf, standardiseInPlace } from './standardise.ts'

/** Feature values held at once: 240 MB. More rows than fit are thinned evenly. */
const MAX_VALUES = 6e7
/** Below this many multiplications a pass, every fit searches its own penalty; above, the quickest model does without. */
const CHEAP_SEARCH = 7e6
/** For the quickest model, which waits for it. */
const QUICK_PATH = { tolerance: 3e-3, penalties: [1e-2, 1e-3, 3e-4, 1e-4], maxIterations: 30, turns: 2 }
/** Without a search: this over the number of rows, within bounds. Right for 1000 pictures by their gradients. */
const QUICK_PENALTY = 0.3
const QUICK_BOUNDS = [1e-4, 3e-2] as const

export async function* fitLinear(
  trial: TrialContext,
  { front, scaling }: DenseFeatures,
  rows: Int32Array,
  stage: FitStage,
  choices: FitChoices | null,
): AsyncGenerator<FitProgress, Fitted, void> {
  const { classCount } = trial.profile
  const width = widthOf(front)
  const link = linkOf(trial.profile, trial.labels)
  const taught = thin(rows, MAX_VALUES / width)
  const { x } = yield* collectFeatures(trial, front, 'train', taught)
  const standardisation = standardisationOf(x, taught.length, width, scaling)
  standardiseInPlace(x, standardisation)
  const targets = targetsOf(link, trial.labels, classCount, taught, balanceOf(trial.params))
  yield { done: 0, of: null, note: 'logistic regression' }

  // One fold's choice is noisy when rows are few, and then looking again costs little.
  const cheap = x.length * classCount <= CHEAP_SEARCH
  let choice = cheap ? null : (choices as { penalty: number; scale: number } | null)
  if (choice === null && (stage !== 'sample' || cheap) && taught.length >= 10) {
    const search = choosePenalty(trial.engine, { x, width, targets }, trial.rng.split('penalty'), {
      ...(stage === 'sample' ? QUICK_PATH : {}),
    })
    for (;;) {
      const step = await search.next()
      if (step.done) {
        choice = step.value
        break
      }
      yield { done: step.value, of: null, note: 'penalties' }
    }
  }
  const { penalty, scale } = choice ?? { penalty: quickPenalty(taught.length), scale: 1 }
  const solver = await logisticSolver(trial.engine, { x, width, targets })
  let map: LinearMap
  try {
    const fit = solver.fit(
      penalty,
      undefined,
      stage === 'sample' ? { maxIterations: 40, tolerance: 1e-3 } : { tolerance: 1e-4 },
    )
    for (;;) {
      const step = await fit.next()
      if (step.done) {
        map = foldStandardisation(step.value, standardisation)
        break
      }
      if (step.value % 4 === 0) yield { done: step.value, of: null, note: 'L-BFGS steps' }
    }
  } finally {
    await solver.release()
  }
  const model: Model = { front, build: (g, features) => linearScores(g, flat(g, features!), map, link, scale) }
  return { model, choices: { penalty, scale } }
}

function quickPenalty(rows: number): number {
  return Math.min(QUICK_BOUNDS[1], Math.max(QUICK_BOUNDS[0], QUICK_PENALTY / rows))
}

function flat(g: Parameters<Model['build']>[0], x: NonNullable<Parameters<Model['build']>[1]>) {
  return x.shape.length === 2 ? x : g.op('Flatten', [x], { axis: 1 })
}
