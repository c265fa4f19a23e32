// Margins of one-against-the-rest models as class scores, in memory and as graph nodes.
// Several classes, one label: p_k = s(t m_k) / sum_j s(t m_j), s the logistic function. Its ranking over examples is better than
// that of a softmax of such margins: each margin was trained against all other classes, and a softmax lets the runner-up decide.
import type { GraphBuilder, Value } from '../../graph/builder.ts'
import { add, clip, concat, div, exp, mul, reduceSum, sub } from '../../graph/functions.ts'
import { logLoss } from '../../metrics/log-loss.ts'
import { nauc } from '../../metrics/nauc.ts'
import { fitScale } from '../common/calibration.ts'
import type { Link, Targets } from '../common/label-statistics.ts'

/** Outputs a model needs: two exclusive classes share one. */
export function outputCount(link: Link, classCount: number): number {
  return link === 'softmax' && classCount === 2 ? 1 : classCount
}

/** Targets [rows, outputs] of the outputs. With one output for two classes it is the second class. */
export function outputTargets(targets: Targets): Float32Array {
  if (outputCount(targets.link, targets.classCount) === targets.classCount) return targets.values
  return Float32Array.from(targets.weights, (_, row) => targets.values[2 * row + 1])
}

/** [rows] factors on the cost of rows that balance the classes; null: all 1. */
export function importanceOf(targets: Targets, balance: number): Float32Array | null {
  return balance === 0 ? null : targets.weights
}

const LIMIT = 30
const TINY = 1e-20
/** NAUC closer than this is the same: then probabilities should be honest. */
const TIE = 5e-4

/** @param margins [n, outputs] @returns [n, classCount] */
export function marginScores(margins: Float32Array, link: Link, classCount: number, scale: number): Float32Array {
  const outputs = outputCount(link, classCount)
  const n = margins.length / outputs
  const scores = new Float32Array(n * classCount)
  for (let row = 0; row < n; row++) {
    if (outputs < classCount) {
      const p = logistic(scale * margins[row])
      scores[2 * row] = 1 - p
      scores[2 * row + 1] = p
      continue
    }
    let sum = TINY
    for (let at = row * outputs; at < (row + 1) * outputs; at++) sum += scores[at] = logistic(scale * margins[at])
    if (link === 'softmax') for (let at = row * outputs; at < (row + 1) * outputs; at++) scores[at] /= sum
  }
  return scores
}

/** The same as graph nodes: margins [n, outputs] -> [n, classCount]. */
export function marginScoresGraph(
  g: GraphBuilder,
  margins: Value,
  link: Link,
  classCount: number,
  scale: number,
): Value {
  // Not Sigmoid: engines approximate it to 1e-7 absolutely, which is too coarse once small values are divided by their sum.
  const p = g.op('Reciprocal', [add(g, exp(g, clip(g, mul(g, margins, -scale), -LIMIT, LIMIT)), 1)])
  if (outputCount(link, classCount) < classCount) return concat(g, [sub(g, 1, p), p], 1)
  if (link === 'sigmoid') return p
  return div(g, p, g.op('Add', [reduceSum(g, p, [1], true), g.scalar(TINY)]))
}

/**
 * The scale for margins of rows that the model has not seen. Where it changes the ranking (several classes, one label) the one
 * that ranks best, else the one of least log loss.
 */
export function chooseScale(margins: Float32Array, targets: Targets): number {
  const { link, classCount, values } = targets
  if (link === 'sigmoid') return fitScale(margins, targets, 0.25, 16)
  if (outputCount(link, classCount) === 1) {
    const two = new Float32Array(margins.length * 2)
    for (let row = 0; row < margins.length; row++) two[2 * row + 1] = margins[row]
    return fitScale(two, targets, 0.25, 16)
  }
  const tried = [0.5, 1, 2, 4, 8, 16].map((scale) => {
    const scores = marginScores(margins, link, classCount, scale)
    return { scale, score: nauc(values, scores, classCount), loss: logLoss(values, scores, classCount, false) }
  })
  const enough = Math.max(...tried.map(({ score }) => score)) - TIE
  return tried.filter(({ score }) => score >= enough).reduce((a, b) => (b.loss < a.loss ? b : a)).scale
}

function logistic(z: number): number {
  const limited = z < -LIMIT ? -LIMIT : z > LIMIT ? LIMIT : z
  return 1 / (1 + Math.exp(-limited))
}
