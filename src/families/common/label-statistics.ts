// What the labels of a set of rows say: the form of the output, how often each class occurs, and training targets.
import type { TaskProfile } from '../../dataset/profile.ts'
import { balancedWeights } from './balance.ts'

/**
 * 'softmax': every example has one class. 'sigmoid': each class is a question of its own (several labels, or none, are possible;
 * a single column is such a question too).
 */
export type Link = 'softmax' | 'sigmoid'

/** Up to this share of unlabelled rows is taken for gaps in the labels; more means that "none of them" is an answer. */
const UNLABELLED_SHARE = 0.02

/** @param labels [n, K] */
export function linkOf(profile: TaskProfile, labels: Float32Array): Link {
  const k = profile.classCount
  if (profile.multiLabel || k === 1) return 'sigmoid'
  const n = labels.length / k
  let unlabelled = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let c = 0; c < k; c++) sum += labels[i * k + c]
    if (sum === 0) unlabelled++
  }
  return unlabelled > UNLABELLED_SHARE * n ? 'sigmoid' : 'softmax'
}

export interface Targets {
  link: Link
  classCount: number
  /** [m, K]: for softmax each row sums to 1 (or is all 0 with weight 0), for sigmoid as labelled. */
  values: Float32Array
  /** [m] 0 for rows that teach nothing (an unlabelled row under softmax), else 1, or what balances the classes. */
  weights: Float32Array
  /** Sum of `weights`. */
  weightSum: number
}

/** Targets of `rows`. @param labels [n, K]; @param balance see `balancedWeights` */
export function targetsOf(
  link: Link,
  labels: Float32Array,
  classCount: number,
  rows: Int32Array,
  balance = 0,
): Targets {
  const values = new Float32Array(rows.length * classCount)
  const weights = balancedWeights(labels, classCount, rows, balance)
  let weightSum = 0
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * classCount
    let sum = 0
    for (let c = 0; c < classCount; c++) sum += values[i * classCount + c] = labels[from + c]
    if (link === 'softmax') {
      if (sum > 0) for (let c = 0; c < classCount; c++) values[i * classCount + c] /= sum
      else weights[i] = 0
    }
    weightSum += weights[i]
  }
  return { link, classCount, values, weights, weightSum }
}

/** [K] shrunk class frequencies, (n_k + a K p0) / (n + a K) with a = 1/2 and p0 = 1/K (softmax) or 1/2 (sigmoid): never 0 or 1. */
export function classPriors(targets: Targets): Float64Array {
  const { classCount, values, link } = targets
  const counts = new Float64Array(classCount)
  for (let i = 0; i < values.length; i++) counts[i % classCount] += values[i]
  return classShares(counts, targets.weightSum, link)
}

/** Counts of n labelled rows as frequencies that are never 0 or 1: half a row more of each class, or of each answer. */
export function classShares(counts: Float64Array, n: number, link: Link): Float64Array {
  return counts.map((count) => (count + 0.5) / (n + (link === 'softmax' ? 0.5 * counts.length : 1)))
}

/** [K] intercepts that give the priors: log p (softmax) or log p/(1-p) (sigmoid). */
export function priorIntercepts(targets: Targets): Float32Array {
  const { link } = targets
  return Float32Array.from(classPriors(targets), (p) => (link === 'softmax' ? Math.log(p) : Math.log(p / (1 - p))))
}

/** Index of the largest target of each row, -1 for rows without any. Length m. */
export function dominantClasses(targets: Targets): Int32Array {
  const { classCount, values } = targets
  return Int32Array.from({ length: targets.weights.length }, (_, i) => {
    let best = -1
    for (let c = 0, top = 0; c < classCount; c++) {
      const value = values[i * classCount + c]
      if (value > top) {
        top = value
        best = c
      }
    }
    return best
  })
}
