// Accuracy and consistency over many datasets: average - alpha * standard deviation across all runs, on errors normalised
// by the baseline's. A run's normalised gain is 1 - error / baseline: 1 is perfect, 0 equals the baseline.

import type { TaskError } from './decathlon.ts'

/**
 * @param runs every run of every dataset
 * @param alpha weight of the spread @default 1, one deviation: what a run one standard deviation below average would get
 */
export function consistencyScore(runs: readonly TaskError[], alpha = 1): number {
  if (runs.length === 0) return 0
  const gains = runs.map(normalisedGain)
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / gains.length
  return mean - alpha * Math.sqrt(variance)
}

/** 1 - error / baseline; against a perfect baseline 1 for perfection, else 0. */
export function normalisedGain({ error, baseline }: TaskError): number {
  if (baseline > 0) return 1 - error / baseline
  return error <= 0 ? 1 : 0
}
