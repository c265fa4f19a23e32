// Chooses C and the scale of margins on a part of the training rows that is set aside, from the smallest C up, each fit starting
// from the one before. Judged by what counts, NAUC; the search ends when it has fallen.

import { nauc } from '../../metrics/nauc.ts'
import type { Rng } from '../../support/rng.ts'
import { type Targets, targetsOf } from '../common/label-statistics.ts'
import type { Csr } from './csr.ts'
import { rowCount } from './csr.ts'
import {
  type DualLinearOptions,
  fitDualLinear,
  type LinearLoss,
  type LinearWeights,
  linearMargins,
} from './dual-linear.ts'
import { chooseScale, importanceOf, marginScores, outputCount, outputTargets } from './margin-scores.ts'
import { naiveBayesScales } from './nb-scales.ts'
import { takeRows } from './rows.ts'

export interface CostChoice {
  cost: number
  scale: number
}

export interface CostSearch {
  loss: LinearLoss
  naiveBayes: boolean
  /** Ascending; one entry: only the scale is chosen. */
  costs: readonly number[]
  /** How far classes are balanced (common/balance.ts). */
  balance: number
  /** Nonzeros times outputs that the rows used for choosing may have: what the choice may cost. */
  maxWork: number
}

/** Rows that judge: a fifth, but no more than this, since NAUC is then known well enough. */
const MAX_JUDGES = 3000

/** `targets`: of the matrix's rows. Yields rows visited. */
export function* chooseCost(
  matrix: Csr,
  targets: Targets,
  search: CostSearch,
  rng: Rng,
): Generator<number, CostChoice, void> {
  const { link, classCount } = targets
  const outputs = outputCount(link, classCount)
  const rows = rowCount(matrix)
  const perRow = (matrix.indices.length * outputs) / Math.max(1, rows)
  const used = Math.min(rows, Math.max(200, Math.floor(search.maxWork / Math.max(1, perRow))))
  const judges = Math.min(MAX_JUDGES, Math.floor(used / 5))
  if (judges < 5) return { cost: search.costs[Math.floor(search.costs.length / 2)], scale: 1 }
  const order = rng.permutation(rows)
  const judging = order.slice(0, judges)
  const learning = order.slice(judges, used)
  const learnMatrix = takeRows(matrix, learning)
  const judgeMatrix = takeRows(matrix, judging)
  const learned = targetsOf(link, targets.values, classCount, learning, search.balance)
  const importance = importanceOf(learned, search.balance)
  const learnTargets = outputTargets(learned)
  const judgeTargets = targetsOf(link, targets.values, classCount, judging)

  const scales = search.naiveBayes ? yield* naiveBayesScales(learnMatrix, learnTargets, outputs) : null
  let best: (CostChoice & { score: number }) | null = null
  let start: Float32Array | null = null
  let previous = 0
  for (const cost of search.costs) {
    if (start !== null) for (let i = 0; i < start.length; i++) start[i] *= cost / previous
    const options: DualLinearOptions = { loss: search.loss, cost, importance, start, scales, maxEpochs: 10 }
    const model: LinearWeights = yield* fitDualLinear(learnMatrix, learnTargets, outputs, options, rng)
    const margins = linearMargins(judgeMatrix, model, outputs)
    const scale = chooseScale(margins, judgeTargets)
    const score = nauc(judgeTargets.values, marginScores(margins, link, classCount, scale), classCount)
    if (best === null || score > best.score) best = { cost, scale, score }
    else if (score < best.score - 0.002) break
    start = model.dual
    previous = cost
  }
  return { cost: best!.cost, scale: best!.scale }
}
