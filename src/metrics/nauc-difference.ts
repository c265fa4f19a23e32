// How sure the difference between two NAUCs over the same rows is. Both rank the same examples, mostly alike, so it is known far better
// than either: the variance of the rows' influences on the difference (DeLong, DeLong & Clarke-Pearson 1988).
import { sortableKeys, sortKeys } from './ranks.ts'

/**
 * @param labels [n, K] row-major label scores
 * @param a [n, K] row-major, finite
 * @param b likewise
 * @returns the standard error of nauc(a) - nauc(b); 0 when no column is valid
 */
export function naucDifferenceError(
  labels: Float32Array,
  a: Float32Array,
  b: Float32Array,
  classCount: number,
): number {
  const rows = classCount === 0 ? 0 : labels.length / classCount
  const difference = new Float64Array(rows)
  let valid = 0
  for (let k = 0; k < classCount; k++) {
    if (!addInfluences(labels, a, classCount, k, 1, difference)) continue
    addInfluences(labels, b, classCount, k, -1, difference)
    valid++
  }
  if (valid === 0) return 0
  const mean = difference.reduce((sum, x) => sum + x, 0) / rows
  const variance = difference.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rows
  return (2 * Math.sqrt(variance / rows)) / valid
}

/** Adds `sign` times how far each row's share of right pairs in column k is from the AUC, times n / n_own. False: not a valid column. */
function addInfluences(
  labels: Float32Array,
  scores: Float32Array,
  classCount: number,
  k: number,
  sign: number,
  to: Float64Array,
): boolean {
  const rows = to.length
  const keys = sortableKeys(scores, k, classCount, rows)
  const isPositive = (row: number) => labels[row * classCount + k] >= 1
  const up = sortKeys(keys.filter((_, row) => isPositive(row)))
  const down = sortKeys(keys.filter((_, row) => !isPositive(row)))
  if (up.length === 0 || down.length === 0) return false
  const rightPairs = Float64Array.from(keys, (key, row) => {
    const others = isPositive(row) ? down : up
    const below = (countBelow(others, key) + countBelow(others, key + 1)) / (2 * others.length)
    return isPositive(row) ? below : 1 - below
  })
  const area = rightPairs.reduce((sum, share, row) => sum + (isPositive(row) ? share : 0), 0) / up.length
  for (let row = 0; row < rows; row++) {
    to[row] += (sign * rows * (rightPairs[row] - area)) / (isPositive(row) ? up.length : down.length)
  }
  return true
}

/** How many of the ascending keys are less. */
function countBelow(sorted: Uint32Array, key: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle] < key) low = middle + 1
    else high = middle
  }
  return low
}
