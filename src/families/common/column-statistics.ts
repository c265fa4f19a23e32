// Means and spreads of feature columns, blind to missing values: what standardisation and imputation need.

export interface ColumnStatistics {
  /** [d] over finite values; 0 for a column without any. */
  mean: Float64Array
  /** [d] standard deviation (population) over finite values. */
  std: Float64Array
  /** [d] number of values that are NaN or infinite. */
  missing: Int32Array
}

/** Two passes, float64 sums. @param x [n, d] row-major */
export function columnStatistics(x: Float32Array | Uint8Array, n: number, d: number): ColumnStatistics {
  const mean = new Float64Array(d)
  const std = new Float64Array(d)
  const missing = new Int32Array(d)
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < d; j++, at++) {
      const value = x[at]
      if (Number.isFinite(value)) mean[j] += value
      else missing[j]++
    }
  }
  for (let j = 0; j < d; j++) mean[j] /= Math.max(1, n - missing[j])
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < d; j++, at++) {
      const delta = x[at] - mean[j]
      if (Number.isFinite(delta)) std[j] += delta * delta
    }
  }
  for (let j = 0; j < d; j++) std[j] = Math.sqrt(std[j] / Math.max(1, n - missing[j]))
  return { mean, std, missing }
}

/**
 * [d] factors that bring columns to unit spread. A column that is constant up to float32 rounding gets 0: it says nothing, and
 * its rounding noise must not be blown up.
 */
export function unitScales({ mean, std }: ColumnStatistics): Float32Array {
  return Float32Array.from(std, (s, j) => (s > 1e-6 * Math.abs(mean[j]) && s > 1e-30 ? 1 / s : 0))
}
