// How good scores are on the validation rows, and how sure that is. One number decides: NAUC, with a little log loss to tell
// apart models that rank equally well (on forty validation rows many reach NAUC 1, but not with equal confidence).
import { accuracy } from '../metrics/accuracy.ts'
import { logLoss } from '../metrics/log-loss.ts'
import { nauc } from '../metrics/nauc.ts'
import { bestSharpness } from '../metrics/sharpness.ts'

/** What judges: labels of the validation rows. */
export interface Judge {
  /** [V, K] row-major label scores. */
  labels: Float32Array
  classCount: number
  multiLabel: boolean
}

export interface Quality {
  nauc: number
  /** Share of rows whose top class is right; for multi-label tasks whose top class is a label. */
  accuracy: number
  /** Log loss; of single-label tasks at the best common sharpness, so that smoothed labels in training are not held against a model. */
  loss: number
}

/** Whether each class is a question of its own, so that scores of a row need not sum to 1. */
export function isSeparate({ multiLabel, classCount }: Judge): boolean {
  return multiLabel || classCount === 1
}

/** A nat of log loss counts as much as this much NAUC: a tie-break, too small to overrule a real difference in ranking. */
const LOSS_WEIGHT = 0.01

/** @param scores [V, K]; non-finite ones count as 0 */
export function judge(against: Judge, scores: Float32Array): Quality {
  const { labels, classCount, multiLabel } = against
  const finite = scores.every(Number.isFinite) ? scores : scores.map((x) => (Number.isFinite(x) ? x : 0))
  return {
    nauc: nauc(labels, finite, classCount),
    accuracy: accuracy(labels, finite, classCount),
    loss: isSeparate(against)
      ? logLoss(labels, finite, classCount, multiLabel)
      : bestSharpness(labels, finite, classCount).loss,
  }
}

/** The number that is maximised. */
export function objective(quality: Quality): number {
  return quality.nauc - LOSS_WEIGHT * quality.loss
}

/**
 * Standard error of a NAUC on these labels: 2 sqrt(sum_k a (1 - a) / min(P_k, N_k)) / (number of valid columns), the binomial
 * upper bound of Hanley & McNeil (1982) with a = (NAUC + 1) / 2, kept away from 1 as if half an example were misplaced.
 */
export function naucError(against: Judge, quality: Quality): number {
  const { labels, classCount } = against
  const rows = labels.length / classCount
  const counts = positives(labels, classCount).map((p) => Math.min(p, rows - p))
  const valid = counts.filter((count) => count > 0)
  if (valid.length === 0) return 1
  const variance = valid.reduce((sum, count) => {
    const area = Math.min(Math.max((quality.nauc + 1) / 2, 0.5 / (count + 1)), 1 - 0.5 / (count + 1))
    return sum + (area * (1 - area)) / count
  }, 0)
  return (2 * Math.sqrt(variance)) / valid.length
}

/** In standard errors of the NAUC; a fit on all rows knows a tenth to a quarter more of them than the fit that was judged. */
const REFIT_ERRORS = 0.3

/** By how much a fit on all rows may look worse than an earlier fit of the same trial on fewer and still take its place. */
export function refitTolerance(against: Judge, quality: Quality): number {
  return REFIT_ERRORS * naucError(against, quality)
}

function positives(labels: Float32Array, classCount: number): number[] {
  const counts = new Array<number>(classCount).fill(0)
  for (let at = 0; at < labels.length; at++) if (labels[at] >= 1) counts[at % classCount]++
  return counts
}
