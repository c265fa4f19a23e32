// Class weights: the score is a mean over classes, so a rare class counts for as much as a common one. How far training follows that
// is a hyperparameter of every family that minimises a loss over rows: 0 takes the rows as they come, 1 gives all classes the
// same total weight.
import type { Domain, HyperParams } from '../family.ts'

export const BALANCE: Domain = {
  type: 'float',
  low: 0,
  high: 1,
  reason: 'rare classes count for the score as much as common ones',
}

export function balanceOf(params: HyperParams): number {
  return Number(params.balance ?? 0)
}

/**
 * [rows.length] weights of rows, 1 on average; a row of several classes gets the mean of theirs, a row of none 1 before averaging.
 * @param labels [n, K] in [0, 1]
 */
export function balancedWeights(
  labels: Float32Array,
  classCount: number,
  rows: Int32Array,
  balance: number,
): Float32Array {
  const weights = new Float32Array(rows.length).fill(1)
  if (balance === 0) return weights
  const factors = classFactors(labels, classCount, rows, balance)
  let total = 0
  for (let i = 0; i < rows.length; i++) {
    let weight = 0
    let mass = 0
    for (let k = 0; k < classCount; k++) {
      const y = labels[rows[i] * classCount + k]
      mass += y
      weight += y * factors[k]
    }
    if (mass > 0) weights[i] = weight / mass
    total += weights[i]
  }
  return weights.map((weight) => (weight * rows.length) / total)
}

/**
 * [K] class weights of a loss (graph/losses.ts); null: all 1. Where classes exclude each other, 1 on average over `rows`; where each is
 * a question of its own, its positives weigh (negatives / positives)^balance.
 */
export function classWeightsOf(
  link: 'softmax' | 'sigmoid',
  labels: Float32Array,
  classCount: number,
  rows: Int32Array,
  balance: number,
): Float32Array | null {
  if (balance === 0) return null
  const counts = classCounts(labels, classCount, rows)
  if (link === 'sigmoid') {
    return Float32Array.from(counts, (count) => (count > 0 ? ((rows.length - count + 1) / count) ** balance : 1))
  }
  const factors = classFactors(labels, classCount, rows, balance)
  const known = counts.reduce((sum, count) => sum + count, 0)
  const mean = known > 0 ? counts.reduce((sum, count, k) => sum + count * factors[k], 0) / known : 1
  return Float32Array.from(factors, (factor) => factor / mean)
}

/** [K] (n / (K n_k))^balance; 1 for a class without rows. */
function classFactors(labels: Float32Array, classCount: number, rows: Int32Array, balance: number): Float64Array {
  return classCounts(labels, classCount, rows).map((count) =>
    count > 0 ? (rows.length / (classCount * count)) ** balance : 1,
  )
}

function classCounts(labels: Float32Array, classCount: number, rows: Int32Array): Float64Array {
  const counts = new Float64Array(classCount)
  for (const row of rows) for (let k = 0; k < classCount; k++) counts[k] += labels[row * classCount + k]
  return counts
}
