// NAUC, the score of the challenge: 2 * mean over valid columns of AUC - 1, ranks averaged over ties (format, section 5).
// A column is valid when it has both positive examples (label >= 1, as the public scorer reads it) and others.
// The area is a Mann-Whitney count: positives and negatives are sorted apart and merged, no rank array is built.
import { sortableKeys, sortKeys } from './ranks.ts'

/**
 * @param labels [n, K] row-major label scores
 * @param scores [n, K] row-major, finite
 * @returns in [-1, 1]; 0 when no column is valid, since nothing can then be ranked better than by a constant
 */
export function nauc(labels: Float32Array, scores: Float32Array, classCount: number): number {
  let sum = 0
  let valid = 0
  for (let k = 0; k < classCount; k++) {
    const area = columnAuc(labels, scores, classCount, k)
    if (Number.isNaN(area)) continue
    sum += area
    valid++
  }
  return valid === 0 ? 0 : (2 * sum) / valid - 1
}

/** AUC of every column, [K]; NaN where a column is not valid. */
export function classAucs(labels: Float32Array, scores: Float32Array, classCount: number): Float64Array {
  return Float64Array.from({ length: classCount }, (_, k) => columnAuc(labels, scores, classCount, k))
}

function columnAuc(labels: Float32Array, scores: Float32Array, classCount: number, k: number): number {
  const n = classCount === 0 ? 0 : labels.length / classCount
  let positives = 0
  for (let i = 0, at = k; i < n; i++, at += classCount) if (labels[at] >= 1) positives++
  const negatives = n - positives
  if (positives === 0 || negatives === 0) return Number.NaN
  const keys = sortableKeys(scores, k, classCount, n)
  let up: Uint32Array = new Uint32Array(positives)
  let down: Uint32Array = new Uint32Array(negatives)
  let p = 0
  let q = 0
  for (let i = 0, at = k; i < n; i++, at += classCount) {
    if (labels[at] >= 1) up[p++] = keys[i]
    else down[q++] = keys[i]
  }
  up = sortKeys(up)
  down = sortKeys(down)
  return orderedPairs(up, down) / (positives * negatives)
}

/** Pairs (positive, negative) in which the positive scores higher, a tie counting one half. */
function orderedPairs(up: Uint32Array, down: Uint32Array): number {
  let lower = 0
  let notAbove = 0
  let pairs = 0
  for (let i = 0; i < up.length; i++) {
    const key = up[i]
    while (lower < down.length && down[lower] < key) lower++
    if (notAbove < lower) notAbove = lower
    while (notAbove < down.length && down[notAbove] <= key) notAbove++
    pairs += (lower + notAbove) / 2
  }
  return pairs
}
