// How far from 0 the NAUC of a prediction can lie that knows nothing: the standard error of Mann-Whitney's statistic under the null
// hypothesis, per class sqrt((P + N + 1) / (12 P N)), doubled for NAUC; classes that sum to one leave K - 1 of them free.
import type { Example } from './editable.ts'

/** @param labels of the examples that are scored; K classes */
export function chanceError(examples: readonly Example[], classCount: number): number {
  const positives = new Array<number>(classCount).fill(0)
  for (const { labels } of examples)
    for (const label of labels) positives[typeof label === 'number' ? label : label.index]++
  const n = examples.length
  const variances = positives.filter((p) => p > 0 && p < n).map((p) => (n + 1) / (3 * p * (n - p)))
  if (variances.length === 0) return 0
  const mean = variances.reduce((sum, v) => sum + v, 0) / variances.length
  return Math.sqrt(mean / Math.max(1, variances.length - 1))
}
