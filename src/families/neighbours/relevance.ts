// How much of a column's spread lies between the classes (eta squared, the F test's share): distances that weigh columns by it
// follow what the labels depend on, where plain ones drown in columns that say nothing.
import type { Targets } from '../common/label-statistics.ts'

/** [d] shares in [0, 1], weighed over classes by their frequency. @param x [m, d] with columns of mean 0 */
export function classShareOfSpread(x: Float32Array, d: number, targets: Targets): Float32Array {
  const { classCount: k, values } = targets
  const m = values.length / k
  const sums = new Float64Array(k * d)
  const counts = new Float64Array(k)
  const total = new Float64Array(d)
  for (let i = 0; i < m; i++) {
    for (let c = 0; c < k; c++) {
      const value = values[i * k + c]
      if (value === 0) continue
      counts[c] += value
      for (let j = 0; j < d; j++) sums[c * d + j] += value * x[i * d + j]
    }
    for (let j = 0; j < d; j++) total[j] += x[i * d + j] ** 2
  }
  const weight = Math.max(
    m,
    counts.reduce((sum, count) => sum + count, 0),
  )
  return Float32Array.from(total, (spread, j) => {
    if (spread <= 0) return 0
    let between = 0
    for (let c = 0; c < k; c++) if (counts[c] > 0) between += sums[c * d + j] ** 2 / counts[c]
    return Math.min(1, (between * m) / (spread * weight))
  })
}
