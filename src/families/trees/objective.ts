// What boosting descends: cross-entropy of a softmax over classes, or of one sigmoid per class for multi-label tasks.
// Two classes need one margin only. Margins start at the class priors (log odds), so the first trees need not learn them.

import type { Link } from '../common/label-statistics.ts'

/** 'binary' is a softmax over two classes with one margin, class 1's. */
export type MarginLink = Link | 'binary'

export interface Objective {
  link: MarginLink
  classes: number
  /** Margins per row: 1 for 'binary', else classes. */
  margins: number
  /** [margins] where boosting starts. */
  start: Float32Array
  /** [margins] 1 where there is something to learn: some row has the class and some row lacks it. */
  learnable: Uint8Array
}

/** Log odds of a class that no training row has. */
const NEVER = -12

/**
 * @param labels [n, classes]
 * @param rows training rows
 * @param weights [n] row weights
 */
export function objectiveFor(
  labels: Float32Array,
  classes: number,
  task: Link,
  rows: Int32Array,
  weights: Float32Array,
): Objective {
  const mass = new Float64Array(classes)
  let total = 0
  for (const row of rows) {
    total += weights[row]
    for (let k = 0; k < classes; k++) mass[k] += weights[row] * labels[row * classes + k]
  }
  const link: MarginLink = task === 'softmax' && classes === 2 ? 'binary' : task
  const margins = link === 'binary' ? 1 : classes
  const start = new Float32Array(margins)
  const learnable = new Uint8Array(margins)
  for (let m = 0; m < margins; m++) {
    const share = mass[link === 'binary' ? 1 : m] / Math.max(total, 1e-9)
    learnable[m] = share > 0 && share < 1 ? 1 : 0
    const bounded = Math.min(Math.max(share, 1e-5), 1 - 1e-5)
    if (link === 'softmax') start[m] = share > 0 ? Math.log(bounded) : NEVER
    else start[m] = share <= 0 ? NEVER : share >= 1 ? -NEVER : Math.log(bounded / (1 - bounded))
  }
  return { link, classes, margins, start, learnable }
}

/**
 * First and second derivatives of the loss by margin.
 * @param margins [n, objective.margins]
 * @param first [n, objective.margins], written at `rows`
 * @param second likewise
 */
export function gradientsOf(
  objective: Objective,
  margins: Float32Array,
  labels: Float32Array,
  weights: Float32Array,
  rows: Int32Array,
  first: Float32Array,
  second: Float32Array,
): void {
  const { link, classes } = objective
  const width = objective.margins
  // The softmax hessian's diagonal, scaled as Friedman 2001 (algorithm 6) does for its dependent margins.
  const factor = link === 'softmax' ? classes / (classes - 1) : 1
  const p = new Float64Array(width)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    const at = row * width
    const label = row * classes + (link === 'binary' ? 1 : 0)
    if (link === 'softmax') {
      let top = margins[at]
      for (let m = 1; m < width; m++) {
        const margin = margins[at + m]
        if (margin > top) top = margin
      }
      let sum = 0
      for (let m = 0; m < width; m++) sum += p[m] = roughExp(margins[at + m] - top)
      const scale = 1 / sum
      for (let m = 0; m < width; m++) p[m] *= scale
    } else {
      for (let m = 0; m < width; m++) p[m] = 1 / (1 + Math.exp(-margins[at + m]))
    }
    const w = weights[row]
    for (let m = 0; m < width; m++) {
      const share = p[m]
      second[at + m] = w * (factor * share * (1 - share) + 1e-6)
      first[at + m] = w * (share - labels[label + m])
    }
  }
}

const POWERS_OF_TWO = Float64Array.from({ length: 64 }, (_, i) => 2 ** (i - 63))

/** e^x for x <= 0 within 1e-4, enough for a gradient and four times as fast as Math.exp: 2^whole by table, 2^fraction by a cubic. */
function roughExp(x: number): number {
  const y = x * Math.LOG2E
  if (y < -60) return 0
  const whole = Math.floor(y)
  const f = y - whole
  return POWERS_OF_TWO[whole + 63] * (0.99992783 + f * (0.6957771 + f * (0.22623319 + f * 0.07790716)))
}

/** Class probabilities of margins, in margin space: [margins]. */
function probabilities(objective: Objective, margins: Float32Array, at: number, out: Float32Array, to: number) {
  const width = objective.margins
  if (objective.link !== 'softmax') {
    for (let m = 0; m < width; m++) out[to + m] = 1 / (1 + Math.exp(-margins[at + m]))
    return
  }
  let top = Number.NEGATIVE_INFINITY
  for (let m = 0; m < width; m++) if (margins[at + m] > top) top = margins[at + m]
  let sum = 0
  for (let m = 0; m < width; m++) sum += out[to + m] = Math.exp(margins[at + m] - top)
  for (let m = 0; m < width; m++) out[to + m] /= sum
}

/** @param margins [n, objective.margins] Returns [rows.length, classes] in [0, 1]. */
export function scoresOfMargins(objective: Objective, margins: Float32Array, rows: Int32Array): Float32Array {
  const { classes } = objective
  const scores = new Float32Array(rows.length * classes)
  const width = objective.margins
  for (let i = 0; i < rows.length; i++) {
    if (objective.link === 'binary') {
      const p = 1 / (1 + Math.exp(-margins[rows[i]]))
      scores[i * 2] = 1 - p
      scores[i * 2 + 1] = p
    } else probabilities(objective, margins, rows[i] * width, scores, i * classes)
  }
  return scores
}

/** Mean log loss of scores [rows.length, classes] against targets [n, classes]. */
export function logLossOf(
  link: MarginLink,
  scores: Float32Array,
  targets: Float32Array,
  rows: Int32Array,
  classes: number,
): number {
  let total = 0
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < classes; k++) {
      const y = targets[rows[i] * classes + k]
      const p = Math.min(Math.max(scores[i * classes + k], 1e-7), 1 - 1e-7)
      if (y > 0) total -= y * Math.log(p)
      if (link === 'sigmoid' && y < 1) total -= (1 - y) * Math.log(1 - p)
    }
  }
  return total / Math.max(1, rows.length)
}
