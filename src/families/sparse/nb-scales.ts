// Naive Bayes weighting (Wang & Manning 2012, section 2): features are scaled by r, the log ratio of their smoothed frequencies in
// and outside a class. Here as scales s = (|r| + floor)^2 of squared weights in the penalty; the floor keeps features that
// naive Bayes sees no use for from being shut out, which interpolation with the mean weight does in the paper.
import type { Csr } from './csr.ts'
import { rowCount } from './csr.ts'

const SMOOTHING = 0.1
const FLOOR = 0.5

/**
 * @param targets [rows, outputs]
 * @returns [width, outputs]. Yields once per output.
 */
export function* naiveBayesScales(
  matrix: Csr,
  targets: Float32Array,
  outputs: number,
): Generator<number, Float32Array, void> {
  const { indptr, indices, values, width } = matrix
  const inside = new Float64Array(width * outputs).fill(SMOOTHING)
  const total = new Float64Array(width).fill(2 * SMOOTHING)
  for (let row = 0; row < rowCount(matrix); row++) {
    for (let at = indptr[row]; at < indptr[row + 1]; at++) {
      const value = Math.abs(values[at])
      const base = indices[at] * outputs
      total[indices[at]] += value
      for (let k = 0; k < outputs; k++) inside[base + k] += value * targets[row * outputs + k]
    }
  }
  const scales = new Float32Array(width * outputs)
  for (let k = 0; k < outputs; k++) {
    yield 0
    let insideSum = 0
    let outsideSum = 0
    for (let f = 0; f < width; f++) {
      insideSum += inside[f * outputs + k]
      outsideSum += total[f] - inside[f * outputs + k]
    }
    for (let f = 0; f < width; f++) {
      const p = inside[f * outputs + k] / insideSum
      const q = (total[f] - inside[f * outputs + k]) / outsideSum
      scales[f * outputs + k] = (Math.abs(Math.log(p / q)) + FLOOR) ** 2
    }
  }
  return scales
}
