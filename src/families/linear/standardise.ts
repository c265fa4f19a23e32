// Features brought to mean 0 and a common scale, so that one penalty suits every data set: a typical example becomes a vector of
// length 1. Either every column gets the same spread, or one factor scales all, when the front end has weighed its columns.
import { columnStatistics, unitScales } from '../common/column-statistics.ts'
import type { LinearMap } from './logistic.ts'

export interface Standardisation {
  /** [d] */
  mean: Float64Array
  /** [d], 0 for columns without information. */
  scale: Float32Array
}

export type Scaling = 'columns' | 'whole'

/** @param x [n, d] */
export function standardisationOf(
  x: Float32Array,
  n: number,
  d: number,
  scaling: Scaling = 'columns',
): Standardisation {
  const statistics = columnStatistics(x, n, d)
  const scale = unitScales(statistics)
  if (scaling === 'whole') {
    const variance = statistics.std.reduce((sum, s, j) => sum + (scale[j] > 0 ? s * s : 0), 0)
    const whole = variance > 0 ? 1 / Math.sqrt(variance) : 0
    return { mean: statistics.mean, scale: scale.map((s) => (s > 0 ? whole : 0)) }
  }
  const informative = scale.reduce((count, s) => count + (s > 0 ? 1 : 0), 0)
  const shrink = 1 / Math.sqrt(Math.max(1, informative))
  return { mean: statistics.mean, scale: scale.map((s) => s * shrink) }
}

/** (x - mean) * scale in place; missing values become 0, the mean. @param x [n, d] */
export function standardiseInPlace(x: Float32Array, { mean, scale }: Standardisation): void {
  const d = scale.length
  for (let at = 0; at < x.length; at += d) {
    for (let j = 0; j < d; j++) {
      const value = (x[at + j] - mean[j]) * scale[j]
      x[at + j] = Number.isFinite(value) ? value : 0
    }
  }
}

/** The same map on raw columns: W' = scale W, b' = b - mean W'. */
export function foldStandardisation({ weights, intercepts }: LinearMap, { mean, scale }: Standardisation): LinearMap {
  const k = intercepts.length
  const raw = new Float32Array(weights.length)
  const shifted = Float64Array.from(intercepts)
  for (let j = 0; j < scale.length; j++) {
    for (let c = 0; c < k; c++) {
      const weight = scale[j] * weights[j * k + c]
      raw[j * k + c] = weight
      shifted[c] -= mean[j] * weight
    }
  }
  return { weights: raw, intercepts: Float32Array.from(shifted) }
}
