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
/** Rows that a search looks at; with more rows the best penalty on the mean loss shrinks like one over their number. */
const SEARCH_ROWS = 3000

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

export interface PenaltySearch {
  /** Convergence of each fit on the path. @default 1e-3 */
  tolerance?: number
  /** @default PENALTIES */
  penalties?: readonly number[]
  /** Steps of each fit at most. @default 60 */
  maxIterations?: number
  /** Parts held back in turn at most, where rows are few. @default 5 */
  turns?: number
}

/** Yields the number of penalties tried. */
export async function* choosePenalty(
  engine: Engine,
  problem: SplitProblem,
  rng: Rng,
  { tolerance = 1e-3, penalties = PENALTIES, maxIterations = 60, turns = 5 }: PenaltySearch = {},
): AsyncGenerator<number, PenaltyChoice, void> {
  const { width: d, targets } = problem
  const total = targets.weights.length
  const order = rng.permutation(total).subarray(0, SEARCH_ROWS)
  const parts = await Promise.all(
    splits(order, turns).map(async ({ teach, judge }) => {
      const taught = subset(problem, teach)
      return { taught, judge, held: subset(problem, judge), solver: await logisticSolver(engine, taught) }
    }),
  )
  const judges = subset({ ...problem, x: new Float32Array(0), width: 0 }, concatRows(parts.map(({ judge }) => judge)))
  try {
    let best: PenaltyChoice & { loss: number } = { penalty: penalties[0], scale: 1, loss: Number.POSITIVE_INFINITY }
    const starts: (LinearMap | undefined)[] = parts.map(() => undefined)
    for (const [index, penalty] of penalties.entries()) {
      const logits = new Float32Array(judges.targets.values.length)
      let at = 0
      for (const [p, { held, solver }] of parts.entries()) {
        const fit = solver.fit(penalty, starts[p], { maxIterations, tolerance })
        for (;;) {
          const step = await fit.next()
          if (step.done) {
            starts[p] = step.value
            break
          }
          if (step.value % 8 === 0) yield index
        }
        const part = linearLogits(held.x, d, starts[p]!)
        logits.set(part, at)
        at += part.length
      }
      const scale = fitScale(logits, judges.targets)
      const loss = logLoss(logits, judges.targets, scale)
      if (loss < best.loss) best = { penalty, scale, loss }
      else if (loss > PAST_MINIMUM * best.loss) break
      yield index + 1
    }
    return { penalty: (best.penalty * parts[0].taught.targets.weights.length) / total, scale: best.scale }
  } finally {
    for (const { solver } of parts) await solver.release()
  }
}

/** One part held back when rows are many, several in turn when a single one would be too small to judge by. */
function splits(order: Int32Array, most: number): { teach: Int32Array; judge: Int32Array }[] {
  const m = order.length
  const folds = Math.max(2, Math.min(5, m))
  const turns = Math.min(most, m < 500 ? folds : m < 900 ? 2 : 1)
  return Array.from({ length: turns }, (_, turn) => ({
    teach: order.filter((_, i) => i % folds !== turn),
    judge: order.filter((_, i) => i % folds === turn),
  }))
}

function concatRows(parts: readonly Int32Array[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]))
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
