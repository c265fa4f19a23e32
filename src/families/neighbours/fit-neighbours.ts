// One fit of nearest neighbours: gather, standardise, weigh columns, choose the vote; the rows themselves are the model.
import { collectFeatures, thin, widthOf } from '../common/collect-features.ts'
import { classPriors, linkOf, targetsOf } from '../common/label-statistics.ts'
import type { FitChoices, FitProgress, Fitted } from '../common/train-classical.ts'
import type { Model, TrialContext } from '../family.ts'
import type { DenseFeatures } from '../linear/features.ts'
import { standardisationOf, standardiseInPlace } from '../linear/standardise.ts'
import { chooseVote } from './choose-vote.ts'
import { classShareOfSpread } from './relevance.ts'
import { type Neighbourhood, neighbourScores, type Vote } from './vote.ts'

/** Values of the rows that the model keeps, 8 MB. */
export const MAX_VALUES = 2e6
/** Rows that choose the vote. */
const MAX_JUDGES = 2000

export async function* fitNeighbours(
  trial: TrialContext,
  { front, scaling }: DenseFeatures,
  rows: Int32Array,
  relevance: number,
  choices: FitChoices | null,
): AsyncGenerator<FitProgress, Fitted, void> {
  const width = widthOf(front)
  const link = linkOf(trial.profile, trial.labels)
  const labelled = link === 'softmax' ? rows.filter((row) => hasLabel(trial, row)) : rows
  const taught = thin(labelled.length > 1 ? labelled : rows, MAX_VALUES / width)
  const { x } = yield* collectFeatures(trial, front, 'train', taught)
  const targets = targetsOf(link, trial.labels, trial.profile.classCount, taught)
  const standardisation = standardisationOf(x, taught.length, width, scaling)
  standardiseInPlace(x, standardisation)
  const priors = Float32Array.from(classPriors(targets))
  const shares = classShareOfSpread(x, width, targets)
  const judges = trial.rng.split('judges').permutation(taught.length).slice(0, MAX_JUDGES)
  const factors = columnFactors(x, shares, relevance)
  for (let i = 0; i < x.length; i++) x[i] *= factors[i % width]
  const stored: Neighbourhood = { rows: x, targets: targets.values, priors }
  let vote = choices as unknown as Vote | null
  if (vote === null) {
    const search = chooseVote(trial.engine, stored, targets, judges)
    for (;;) {
      const step = await search.next()
      if (step.done) {
        vote = step.value
        break
      }
      yield { done: step.value, of: judges.length, note: 'rows judged by their neighbours' }
    }
  }
  const chosen = vote
  const mean = Float32Array.from(standardisation.mean)
  const scale = standardisation.scale.map((value, j) => value * factors[j])
  const model: Model = {
    front,
    build(g, features) {
      const centred = g.op('Sub', [g.op('Flatten', [features!], { axis: 1 }), g.constant(mean, [1, width])])
      return neighbourScores(g, g.op('Mul', [centred, g.constant(scale, [1, width])]), stored, chosen, link)
    },
  }
  return { model, choices: { ...chosen } }
}

/** [d] share^(power/2), by a factor that leaves the typical row at length 1. */
function columnFactors(x: Float32Array, shares: Float32Array, power: number): Float32Array {
  const d = shares.length
  const factors = shares.map((share) => share ** (power / 2))
  let squares = 0
  for (let i = 0; i < x.length; i++) squares += (x[i] * factors[i % d]) ** 2
  const whole = squares > 0 ? 1 / Math.sqrt(squares / (x.length / d)) : 1
  return factors.map((factor) => factor * whole)
}

function hasLabel({ labels, profile }: TrialContext, row: number): boolean {
  const k = profile.classCount
  for (let c = row * k; c < (row + 1) * k; c++) if (labels[c] > 0) return true
  return false
}
