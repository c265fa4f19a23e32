// The L2 penalty of a logistic regression, chosen on rows held back from its own training rows: a path from strong to weak, each
// fit starting where the last one ended, until the held-back loss has passed its minimum. Losses are taken at their best
// temperature, since ranking is what counts and the temperature is corrected afterwards.
import type { Engine } from '../../engine/engine.ts'
import type { Rng } from '../../support/rng.ts'
import { fitScale, logLoss } from '../common/calibration.ts'
import type { Link, Targets } from '../common/label-statistics.ts'
import { type LinearMap, logisticSolver } from './logistic.ts'

/** For rows of length about 1 (see standardise.ts): from "class means only" to "as good as none". */
export const PENALTIES = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5] as const

/** A loss this much above the best one so far means that the minimum is behind. */
const PAST_MINIMUM = 1.02

export interface PenaltyChoice {
  penalty: number
  /** Factor on the logits that makes held-back probabilities honest. */
  scale: number
}

export interface SplitProblem {
  /** [m, d] standardised features with targets of all rows. */
  x: Float32Array
  width: number
  targets: Targets
}

/** Yields the number of penalties tried. */
export async function* choosePenalty(
  engine: Engine,
  problem: SplitProblem,
  rng: Rng,
  heldBackShare = 0.2,
): AsyncGenerator<number, PenaltyChoice, void> {
  const { width: d, targets } = problem
  const m = targets.weights.length
  const order = rng.permutation(m)
  const heldBack = Math.max(1, Math.round(heldBackShare * m))
  const judge = subset(problem, order.subarray(0, heldBack))
  const teach = subset(problem, order.subarray(heldBack))
  const solver = await logisticSolver(engine, teach)
  try {
    let best: PenaltyChoice & { loss: number } = { penalty: PENALTIES[2], scale: 1, loss: Number.POSITIVE_INFINITY }
    let start: LinearMap | undefined
    for (const [index, penalty] of PENALTIES.entries()) {
      const fit = solver.fit(penalty, start, { maxIterations: 60, tolerance: 1e-3 })
      for (;;) {
        const step = await fit.next()
        if (step.done) {
          start = step.value
          break
        }
        if (step.value % 8 === 0) yield index
      }
      const logits = linearLogits(judge.x, d, start)
      const scale = fitScale(logits, judge.targets)
      const loss = logLoss(logits, judge.targets, scale)
      if (loss < best.loss) best = { penalty, scale, loss }
      else if (loss > PAST_MINIMUM * best.loss) break
      yield index + 1
    }
    return { penalty: best.penalty, scale: best.scale }
  } finally {
    await solver.release()
  }
}

function subset({ x, width: d, targets }: SplitProblem, rows: Int32Array): SplitProblem {
  const k = targets.classCount
  const part = new Float32Array(rows.length * d)
  const values = new Float32Array(rows.length * k)
  const weights = new Float32Array(rows.length)
  let weightSum = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    part.set(x.subarray(row * d, (row + 1) * d), i * d)
    values.set(targets.values.subarray(row * k, (row + 1) * k), i * k)
    weightSum += weights[i] = targets.weights[row]
  }
  return { x: part, width: d, targets: { link: targets.link as Link, classCount: k, values, weights, weightSum } }
}

/** x W + b on this thread. @param x [m, d] */
export function linearLogits(x: Float32Array, d: number, { weights, intercepts }: LinearMap): Float32Array {
  const k = intercepts.length
  const m = x.length / d
  const logits = new Float32Array(m * k)
  for (let i = 0; i < m; i++) {
    const row = logits.subarray(i * k, (i + 1) * k)
    row.set(intercepts)
    for (let j = 0; j < d; j++) {
      const value = x[i * d + j]
      if (value === 0) continue
      for (let c = 0; c < k; c++) row[c] += value * weights[j * k + c]
    }
  }
  return logits
}
